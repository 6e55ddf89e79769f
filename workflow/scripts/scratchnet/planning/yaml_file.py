"""Reading a YAML file that a person wrote, without what YAML would do behind their back."""

import yaml

from scratchnet.errors import ConfigError, show_name

# The settings that are text, and may look like numbers: a class or a folder called 007.
NAMES = ("classes", "dataset", "folder", "images", "run")


def read_yaml(path):
    """Return the keys and values in a YAML file; {} if it is empty or has only comments.

    Raises ConfigError as `parse_yaml` does, and if the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return parse_yaml(file.read(), path)
    except OSError as error:
        raise ConfigError(f"{show_name(path)} cannot be read: {error.strerror}") from None


def parse_yaml(content, name):
    """Return the keys and values in YAML, the `content` (bytes) of what is called `name`.

    Raises ConfigError, which names the line, if it is not valid YAML, has a key twice (YAML would
    silently keep the last one), has a number that YAML would rewrite (010 is 8), or has something
    else than keys and values.
    """
    name = show_name(name)
    try:
        loader = yaml.CSafeLoader(content.decode())
        node = loader.get_single_node()
        # Before the construction, in which merge keys (<<) put keys into the nodes.
        if problems := dict.fromkeys(_find_problems(node)):  # an alias has those of its anchor
            raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems))
        found = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(
            f"{name} is not valid YAML: {where}: {show_name(error.problem)}"
        ) from None
    except (ValueError, OverflowError, RecursionError, yaml.YAMLError) as error:  # 2024-13-45
        raise ConfigError(f"{name} is not valid YAML: {show_name(error)}") from None
    if not isinstance(found, dict | None):
        raise ConfigError(f"{name} must consist of keys and values: training: {{epochs: 5}}")
    return found or {}


def _find_problems(node, key=""):
    """Yield a line about each key that is given twice, and each number that is rewritten.

    `key` is the key that the YAML node belongs to.
    """
    if isinstance(node, yaml.MappingNode):
        first_lines = {}
        for name, value in node.value:
            line = name.start_mark.line + 1
            if (text := str(name.value)) in first_lines:
                yield f"{show_name(text)} is given twice, in lines {first_lines[text]} and {line}"
            first_lines[text] = line
            yield from _find_problems(value, name.value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _find_problems(item, key)
    elif isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")):
        text, value = node.value, yaml.safe_load(node.value)
        if str(value) != text if key in NAMES else not _is_decimal(text, value):
            yield (
                f"{show_name(key)}: {show_name(text)} in line {node.start_mark.line + 1} would be "
                f'read as {value}. Write a decimal number; or a name in quotes: "{text}"'
            )


def _is_decimal(text, value):
    try:
        return float(text) == value
    except ValueError:
        return False
