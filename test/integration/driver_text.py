"""llmc run: the same text for the same seed, greedy or sampled, a conversation through a pipe."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from support import ALL_VARIANTS, TINY, compile_model, llmc, tool
from tiny_model import write_tiny_model

PROMPT = "In those days, "


def setUpModule():
    global folder, tiny
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    tiny = compile_model(TINY / "model.onnx", pathlib.Path(folder.name) / "tiny.llmc", "", ALL_VARIANTS)


def write(*options, prompt=PROMPT, tokens=24):
    return llmc("run", tiny, "--prompt", prompt, "--max-tokens", tokens, *options).stdout


class Run(unittest.TestCase):
    def test_text_starts_with_the_prompt_and_goes_on(self):
        text = write()
        self.assertTrue(text.startswith(PROMPT))
        self.assertGreater(len(text.strip()), len(PROMPT) + 20)

    def test_temperature_zero_takes_the_most_likely(self):
        self.assertEqual(write(), write("--temperature", 0, "--seed", 7))
        self.assertEqual(write(), write("--temperature", 1, "--top-k", 1, "--seed", 7))

    def test_seed_fixes_what_is_sampled(self):
        sampled = [write("--temperature", 1, "--seed", seed) for seed in (1, 1, 2, 3)]
        self.assertEqual(sampled[0], sampled[1])
        self.assertEqual(len(set(sampled)), 3)

    def test_threads_and_variants_do_not_change_the_text(self):
        options = ("--temperature", 1, "--seed", 5)
        self.assertEqual(write(*options, "--threads", 1), write(*options, "--threads", 3))

    def test_repetition_penalty_and_top_p_change_the_text(self):
        self.assertNotEqual(write(tokens=60), write("--repetition-penalty", 1.5, tokens=60))
        options = ("--temperature", 1, "--seed", 5)
        self.assertNotEqual(write(*options), write(*options, "--top-p", 0.2))

    def test_length_is_bounded(self):
        self.assertEqual(write(tokens=0).strip(), PROMPT.strip())
        self.assertTrue(write(tokens=24).startswith(write(tokens=8).rstrip("\n")))

    def test_text_that_fills_the_context(self):
        short = compile_model(TINY / "model.onnx", pathlib.Path(folder.name) / "short.llmc", "", "--context=32")
        done = llmc("run", short, "--prompt", PROMPT, "--max-tokens", 100)
        self.assertIn("\nllmc: the context of 32 tokens is full\n", done.stderr)
        self.assertTrue(write(tokens=100).startswith(done.stdout.rstrip("\n")))

    def test_prompt_longer_than_the_context(self):
        done = llmc("run", tiny, "--prompt", "and the " * 3000, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the model's context", done.stderr)

    def test_prompt_that_is_not_utf8(self):
        done = subprocess.run([tool("llmc"), "run", str(tiny), "--prompt", b"\xff\xfe"],
                              capture_output=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"UTF-8", done.stderr)

    def test_prompt_is_needed(self):
        done = llmc("run", tiny, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected --prompt TEXT that is not empty, or --chat", done.stderr)

    def test_interrupt_ends_a_whole_line(self):
        process = subprocess.Popen([tool("llmc"), "run", str(tiny), "--prompt", PROMPT, "--max-tokens", "100000",
                                    "--threads", "1", "--temperature", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It writes before it is interrupted.
        start = os.read(process.stdout.fileno(), 64)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
        if process.returncode == 0:
            self.skipTest("the text ended before the interrupt came")
        self.assertEqual(process.returncode, 130)
        self.assertIn(b"llmc: interrupted", errors)
        self.assertTrue((start + rest).decode().endswith("\n"))


class Padded(unittest.TestCase):
    """A random model whose vocabulary is wider than its tokenizer's."""

    def test_tokens_without_a_text_are_never_written(self):
        source = pathlib.Path(folder.name) / "padded"
        source.mkdir()
        model = pathlib.Path(write_tiny_model(str(source), seed=3))
        model.write_text(model.read_text().replace("capacity = 32", "capacity = 256"))
        path = source / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        vocabulary = tokenizer["model"]["vocab"]
        kept = dict(list(vocabulary.items())[:6])
        self.assertLess(len(kept), len(vocabulary))
        tokenizer["model"]["vocab"] = kept
        path.write_text(json.dumps(tokenizer))
        artifact = compile_model(model, source / "padded.llmc")
        start = next(iter(kept))
        for options in ((), ("--temperature", 5), ("--temperature", 5, "--top-k", 8)):
            written = llmc("run", artifact, "--prompt", start, "--max-tokens", 200, *options).stdout
            self.assertEqual(len(written.rstrip("\n")), 201)
            self.assertLessEqual(set(written.rstrip("\n")), set(kept))


CHATML = ("{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


class Chat(unittest.TestCase):
    """A random model whose tokens are letters, and two marks of ChatML."""

    @classmethod
    def setUpClass(cls):
        cls.source = pathlib.Path(folder.name) / "chat"
        cls.source.mkdir()
        cls.onnx = pathlib.Path(write_tiny_model(str(cls.source), seed=3))
        cls.onnx.write_text(cls.onnx.read_text().replace("capacity = 32", "capacity = 256"))
        path = cls.source / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        vocabulary = tokenizer["model"]["vocab"]
        for letter, mark in (("E", "<|im_start|>"), ("F", "<|im_end|>")):
            tokenizer["added_tokens"].append({
                "id": vocabulary.pop(letter), "content": mark, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": True})
        path.write_text(json.dumps(tokenizer))
        cls.model = cls.compile("chat", CHATML)

    @classmethod
    def compile(cls, name, template, *options):
        """Compiles the model with a template beside it."""
        path = cls.source / "chat_template.jinja"
        path.write_text(template)
        model = compile_model(cls.onnx, cls.source / f"{name}.llmc", "", *options)
        path.unlink()
        return model

    def converse(self, text, *options, model=None):
        return llmc("run", model or self.model, "--chat", "--max-tokens", 3, *options, input=text).stdout

    def complete(self, text):
        written = llmc("run", self.model, "--max-tokens", 3, "--prompt", text).stdout
        self.assertTrue(written.startswith(text))
        return written[len(text):].rstrip("\n")

    def test_answers_are_completions_of_the_template(self):
        first = "<|im_start|>user\nabc<|im_end|>\n<|im_start|>assistant\n"
        answers = self.converse("abc\n").split("\n")
        self.assertEqual(answers, [self.complete(first), ""])

    def test_conversation_goes_on(self):
        answers = self.converse("abc\nb\n").rstrip("\n").split("\n")
        self.assertEqual(len(answers), 2)
        self.assertEqual(answers[0], self.converse("abc\n").rstrip("\n"))
        # What was said before counts.
        whole = ("<|im_start|>user\nabc<|im_end|>\n<|im_start|>assistant\n" + answers[0]
                 + "<|im_end|>\n<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\n")
        self.assertEqual(answers[1], self.complete(whole))

    def test_template_that_writes_earlier_turns_in_another_way(self):
        """As templates do that leave out what an answer thought: what was read is read anew."""
        template = CHATML.replace("m.content", "(m.content if loop.last else m.content | upper | lower | reverse)")
        model = self.compile("other", template)
        answers = self.converse("abc\nb\n", model=model).rstrip("\n").split("\n")
        whole = ("<|im_start|>user\ncba<|im_end|>\n<|im_start|>assistant\n" + answers[0].lower()[::-1]
                 + "<|im_end|>\n<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\n")
        self.assertEqual(answers[1], self.complete(whole))

    def test_prompt_is_the_first_message(self):
        self.assertEqual(self.converse("b\n", "--prompt", "abc"), self.converse("abc\nb\n"))

    def test_system_message_comes_first(self):
        text = ("<|im_start|>system\ncab<|im_end|>\n"
                "<|im_start|>user\nabc<|im_end|>\n<|im_start|>assistant\n")
        self.assertEqual(self.converse("abc\n", "--system", "cab").rstrip("\n"), self.complete(text))

    def test_nothing_is_asked_for_in_a_pipe(self):
        done = llmc("run", self.model, "--chat", "--max-tokens", 3, input="abc\n")
        self.assertEqual(done.stderr, "")

    def test_marks_in_a_message_are_text(self):
        """What a user types opens no turn of another."""
        self.assertNotEqual(self.converse("abc<|im_end|>\n").rstrip("\n"),
                            self.complete("<|im_start|>user\nabc<|im_end|><|im_end|>\n<|im_start|>assistant\n"))

    def test_template_of_a_file(self):
        path = self.source / "other.jinja"
        path.write_text("{% for m in messages %}{{ m.content }}bb{% endfor %}")
        self.assertEqual(self.converse("abc\n", "--chat-template", path).rstrip("\n"), self.complete("abcbb"))
        compiled = self.compile("named", CHATML, f"--chat-template={path}")
        self.assertEqual(self.converse("abc\n", model=compiled).rstrip("\n"), self.complete("abcbb"))

    def test_template_that_complains(self):
        path = self.source / "strict.jinja"
        path.write_text("{% if messages[0].role == 'system' %}\n{{ raise_exception('System role not supported') }}{% endif %}a")
        done = llmc("run", self.model, "--chat", "--system", "b", "--chat-template", path, input="abc\n", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chat template: line 2: System role not supported", done.stderr)

    def test_template_that_cannot_be_read(self):
        """The program is written all the same: it can do everything else."""
        (self.source / "chat_template.jinja").write_text("\n{% include 'x' %}")
        broken = self.source / "broken.llmc"
        done = llmc("compile", self.onnx, "-o", broken)
        (self.source / "chat_template.jinja").unlink()
        self.assertIn("chat template: line 2: the tag 'include' is not supported: the artifact can hold no "
                      "conversation (--chat-template names another template)", done.stderr)
        self.assertEqual(llmc("run", broken, "--prompt", "abc", "--max-tokens", 3).stdout,
                         llmc("run", self.model, "--prompt", "abc", "--max-tokens", 3).stdout)
        done = llmc("run", broken, "--chat", "--prompt", "abc", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the tag 'include' is not supported (--chat-template names one)", done.stderr)

    def test_model_without_a_template(self):
        done = llmc("run", tiny, "--chat", "--prompt", "abc", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the tokenizer has no chat template (--chat-template names one)", done.stderr)

    def test_template_that_is_not_there(self):
        for arguments in (("run", self.model, "--chat"), ("compile", self.onnx, "-o", self.source / "none.llmc")):
            done = llmc(*arguments, "--chat-template", self.source / "none.jinja", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("none.jinja': No such file or directory", done.stderr)
        done = llmc("run", self.model, "--prompt", "a", "--chat-template", self.source / "none.jinja", check=False)
        self.assertIn("expected --chat with --chat-template", done.stderr)

    def test_all_tokens_that_end_a_text_do(self):
        vocabulary = json.loads((self.source / "tokenizer.json").read_text())["model"]["vocab"]
        # A message whose answer is not empty.
        message = next(text for text in ("abc\n", "b\n", "cab\n", "a\n", "ba\n", "cc\n")
                       if self.converse(text)[0] in vocabulary)
        first = self.converse(message)
        path = self.source / "generation_config.json"
        path.write_text(json.dumps({"eos_token_id": [9999, vocabulary[first[0]]]}))
        model = self.compile("ends", CHATML)
        path.unlink()
        self.assertEqual(self.converse(message, model=model), "\n")

    def test_signals_while_loading_are_kept(self):
        """The conversation waits for a line, and the signal must not be forgotten before it does."""
        for i in range(24):
            with subprocess.Popen([tool("llmc"), "run", str(self.model), "--chat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                time.sleep(0.002 * i)
                process.send_signal(signal.SIGINT if i % 2 else signal.SIGTERM)
                try:
                    # Its standard input stays open: no end of it ends the conversation.
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    self.fail(f"a signal after {2 * i} ms was forgotten")
                self.assertIn(process.returncode, (130, 143, -signal.SIGINT, -signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
