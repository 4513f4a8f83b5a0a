"""Records tests/goldens/templates.json: what jinja2 renders, set up as transformers sets it up.

Needs jinja2 3.1.6 and nothing else. Run:
python make_templates.py templates/expressions.txt templates/blocks.txt <output file>
"""

import datetime
import json
import re
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    """transformers' tag around what the assistant says; the tracking of positions is left out."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_support")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


NOW = datetime.datetime(2024, 7, 5, 9, 3, 7)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return env


VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "  two\n", "name": None},
        {
            "role": "assistant",
            "content": "x",
            "n": 1.5,
            "b": True,
            "z": None,
            "l": ["a", 1, True, None],
            "d": {"k": "v", "t": False},
        },
    ],
    "tools": None,
    "documents": None,
    "add_generation_prompt": True,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "people": [
        {"name": "bo", "age": 30, "address": {"city": "Rome"}},
        {"name": "Al", "age": 25, "address": {"city": "oslo"}},
        {"name": "cy", "age": 30, "address": {"city": "Bern"}},
    ],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
    "words": ["b", "A", "c", "a"],
    "text": "The quick brown fox\njumps over\n\nthe lazy dog",
    "html": "<a href=\"x\">it's & so</a>",
    "emoji": "a🦙b",
    "n": 7,
    "f": 2.5,
    "big": 123456789012345678901234567890,
    "mixed": {"b": 1, "A": [1, 2], "c": {"x": None}},
}


def read(path):
    """Templates between lines of dashes."""
    with open(path) as file:
        source = file.read()
    return [part for part in re.split(r"^-----\n", source, flags=re.M) if part]


def main(expressions, templates, output):
    cases = []
    with open(expressions) as file:
        sources = ["{{ " + line.rstrip("\n") + " }}" for line in file if line.strip() and line[0] != "#"]
    sources += [part.removesuffix("\n") for part in read(templates)]
    # What is drawn by chance has no one answer.
    sources = [source for source in sources if "random" not in source and "lipsum" not in source]
    for source in dict.fromkeys(sources):
        try:
            text = environment().from_string(source).render(**VARIABLES)
            text.encode()
            case = {"template": source, "text": text}
        except Exception as error:
            case = {"template": source, "error": type(error).__name__}
        if re.search(r" at 0x[0-9a-f]+>", case.get("text", "")):
            case = {"template": source, "error": "prints an address of memory"}
        cases.append(case)
    # JSON's readers elsewhere lose digits of a whole number this long.
    variables = json.dumps({**VARIABLES, "big": str(VARIABLES["big"])}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    with open(output, "w") as file:
        file.write(f'{{"variables": {variables},\n"cases": [\n{lines}\n]}}\n')
    print(len(cases), "cases,", sum("error" in case for case in cases), "refused")


main(*sys.argv[1:])
