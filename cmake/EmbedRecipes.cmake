# Writes recipes as entries of an array in C++:
# cmake -DOUTPUT=… -DRECIPES=FILE;… -P EmbedRecipes.cmake. The name of each is that of its file.
set(_entries "")
foreach(_path ${RECIPES})
  get_filename_component(_name "${_path}" NAME_WE)
  file(READ "${_path}" _text)
  string(APPEND _entries "{\"${_name}\", R\"recipe(${_text})recipe\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "${_entries}")
