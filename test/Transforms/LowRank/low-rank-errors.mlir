// What low-rank passes refuse.

// RUN: not llmc-opt %s --factorize-svd="rank=7" 2>&1 | FileCheck %s --check-prefix=FULL
// FULL: [[#@LINE+44]]:1: error: 'llmc.parameter' op rank: expected at most 6, the full rank of 6x8, found 7
// RUN: not llmc-opt %s --quantize-rtn="group-size=channel table=false" --repair-eora="rank=9" 2>&1 | FileCheck %s --check-prefix=REPAIR-FULL
// REPAIR-FULL: error: 'llmc.parameter' op rank: expected at most 6, the full rank of 6x8, found 9

// RUN: not llmc-opt %s --factorize-svd="rank=-1" 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not llmc-opt %s --repair-lqer="rank=0" 2>&1 | FileCheck %s --check-prefix=RANK
// RANK: error: rank: expected at least 1, found

// RUN: not llmc-opt %s --factorize-svd="keep=1" 2>&1 | FileCheck %s --check-prefix=KEEP
// RUN: not llmc-opt %s --factorize-asvd="keep=0" 2>&1 | FileCheck %s --check-prefix=KEEP
// RUN: not llmc-opt %s --factorize-svd-llm="keep=most" 2>&1 | FileCheck %s --check-prefix=KEEP
// KEEP: error: keep: expected a number between 0 and 1, found '{{1|0|most}}'

// RUN: not llmc-opt %s --factorize-svd="multiple=0" 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// MULTIPLE: error: multiple: expected at least 1, found 0

// RUN: not llmc-opt %s --factorize-svd="keep=0.5 rank=2" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: keep: expected no rank with it, found rank=2
// RUN: not llmc-opt %s --factorize-svd="rank=2 allocation=loss" 2>&1 | FileCheck %s --check-prefix=ALLOCATION
// ALLOCATION: error: allocation: expected keep with allocation=loss, found rank=2

// RUN: not llmc-opt %s --factorize-svd="only=none" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not llmc-opt %s --repair-lqer="ignore=." 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: expected weights of linears that `only` and `ignore` leave, found none

// RUN: not llmc-opt %s --quantize-rtn="group-size=channel table=false" --factorize-svd="rank=2" 2>&1 | FileCheck %s --check-prefix=ROUNDED
// ROUNDED: error: 'llmc.parameter' op expected weights that are not rounded yet, found #llmc.grouped<{{.*}}>: factors are rounded after they are made

// RUN: not llmc-opt %s --repair-eora 2>&1 | FileCheck %s --check-prefix=RESIDUAL
// RUN: not llmc-opt %s --repair-lqer="scaling=none" 2>&1 | FileCheck %s --check-prefix=RESIDUAL
// RESIDUAL: error: expected weights that were rounded or pruned before, found none: there is nothing to make up for

// RUN: not llmc-opt %s --factorize-asvd="alpha=2" 2>&1 | FileCheck %s --check-prefix=ALPHA
// ALPHA: error: alpha: expected a number from 0 to 1, found 2{{$}}
// RUN: not llmc-opt %s --factorize-svd-llm="damp=2" 2>&1 | FileCheck %s --check-prefix=DAMP
// RUN: not llmc-opt %s --repair-eora="damp=-1" 2>&1 | FileCheck %s --check-prefix=DAMP
// DAMP: error: damp: expected a number from 0 to 1, found
// RUN: not llmc-opt %s --repair-lqer="scaling=none statistics=s" 2>&1 | FileCheck %s --check-prefix=SCALING
// SCALING: error: scaling: expected no calibration with scaling=none, found 's'

// RUN: not llmc-opt %s --repair-eora="statistics=%t report=%t" 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: not llmc-opt %s --factorize-svd-llm="statistics=%t report=%t" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: expected another report than '{{.*}}', which statistics are read from

llmc.parameter @w : tensor<6x8xf32> = dense_resource<w> : tensor<192xi8>
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x6xf32> {
  %w = llmc.parameter_value @w : tensor<6x8xf32>
  %y = llmc.linear %x, %w : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x40000000000000BFB81E05BE8FC2753ECDCCCCBE8FC2F5BC7B14AE3E9A9999BE295C8F3DAE47E13ECDCC4CBE7B142E3ED7A3F0BECDCCCCBD713D8A3EA470BDBE00000000A470BD3E713D8ABECDCCCC3DD7A3F03E7B142EBECDCC4C3EAE47E1BE295C8FBD9A99993E7B14AEBE8FC2F53CCDCCCC3E8FC275BEB81E053E0000003F295C0FBE1F856B3E85EBD1BE0AD723BDC3F5A83E52B89EBE8FC2753DF628DC3E3D0A57BE0AD7233E8FC2F5BEAE47E1BDB81E853E5C8FC2BE0AD723BCEC51B83E295C8FBE"
    }
  }
#-}
