"""Reading a YAML file that a person wrote, without what YAML would do behind their back.

The file is bounded before anything is constructed from it.
"""

import itertools

import yaml

from scratchnet.errors import ConfigError, show_name

# The settings that are text, and may look like numbers: a class or a folder called 007.
NAMES = ("classes", "dataset", "folder", "images", "run")

# The bounds of a configuration. Beyond them, reading it may take hours, or end the interpreter.
MAX_FILE_SIZE = 1_000_000  # characters
MAX_LEVELS = 20  # of lists and sections
MAX_VALUES = 50_000  # what a YAML alias stands for counts each time
MAX_LENGTH = 3_500  # characters of a value; Python shows no integer of more than 4,300 digits

TOO_DEEP = f"more than {MAX_LEVELS} levels of lists and sections"
TOO_MANY = f"more than {MAX_VALUES} values"


def read_yaml(path):
    """Return the keys and values in a YAML file; {} if it is empty or has only comments.

    Raises ConfigError, which names the line, if the file is not valid YAML, has a key twice (YAML
    would silently keep the last one), has a name that YAML would rewrite (010 is 8), has something
    else than keys and values, or is beyond the bounds of a configuration; and if it cannot be read.
    """
    name = show_name(path)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_FILE_SIZE + 1)
        if len(text) > MAX_FILE_SIZE:
            raise ConfigError(f"{name} has more than {MAX_FILE_SIZE} characters")
        if excess := next(_find_excess(yaml.parse(text, yaml.CSafeLoader)), None):
            raise ConfigError(f"{name}: {excess}")
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        # Before the construction, in which merge keys (<<) put keys into the nodes.
        problems = [*_find_repeated_keys(node, set()), *_find_rewritten_names(node, None, set())]
        if problems:
            raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems))
        content = loader.construct_document(node) if node else None
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(
            f"{name} is not valid YAML: {where}: {show_name(error.problem)}"
        ) from None
    except (ValueError, OverflowError, yaml.YAMLError) as error:  # a date such as 2024-13-45
        raise ConfigError(f"{name} is not valid YAML: {show_name(error)}") from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{name} must consist of keys and values: training: {{epochs: 5}}")
    check_extent(content, name)
    return content or {}


def _find_excess(events):
    """Yield a line about each of the `events` of parsing YAML that is beyond the bounds.

    What is within them is safe to construct. libyaml follows lists and sections by recursion, and
    merge keys (<<) copy what an alias stands for.
    """
    n_values, open_nodes = 0, []
    sizes = {}  # the number of values of each anchor; None until it ends
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, n_before = open_nodes.pop()
            sizes[anchor] = n_values - n_before
            continue
        line = f"line {event.start_mark.line + 1}"
        if tag := getattr(event, "tag", None):
            tag = tag.replace("tag:yaml.org,2002:", "!!")
            yield f"{line}: the tag {tag} is not supported: leave it out"
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, n_values))
            sizes[event.anchor] = None
            n_values += 1
        elif isinstance(event, yaml.ScalarEvent):
            n_values += 1
            if len(event.value) > MAX_LENGTH:
                yield f"{line}: a value has more than {MAX_LENGTH} characters"
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor, 1)
            if size is None:
                yield f"{line}: *{event.anchor} is a part of itself"
            else:
                n_values += size
        if len(open_nodes) > MAX_LEVELS:
            yield f"{line}: {TOO_DEEP}"
        if n_values > MAX_VALUES:
            yield f"{line}: {TOO_MANY}"


def check_extent(config, name):
    """Raise ConfigError, which calls a configuration `name`, if it is beyond the bounds.

    One that contains itself has too many levels.
    """
    parts = _walk(config, name, MAX_LEVELS)
    if any(True for _ in itertools.islice(parts, MAX_VALUES, None)):
        raise ConfigError(f"{name} has {TOO_MANY}")


def _walk(value, name, n_levels):
    """Yield `value` and all that is in it, down to `n_levels` levels of lists and sections."""
    yield value
    if isinstance(value, dict | list):
        if not n_levels:
            raise ConfigError(f"{name} has {TOO_DEEP}")
        for part in value.values() if isinstance(value, dict) else value:
            yield from _walk(part, name, n_levels - 1)


def _find_repeated_keys(node, seen):
    """Yield a line about each key that a mapping in a YAML node has more than once."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))  # an alias stands for a node that was there before
    first_lines = {}
    for item in node.value:
        key, value = item if isinstance(node, yaml.MappingNode) else (None, item)
        if isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + 1
            if key.value in first_lines:
                lines = f"{first_lines[key.value]} and {line}"
                yield f"{show_name(key.value)} is given twice, in lines {lines}"
            first_lines[key.value] = line
        yield from _find_repeated_keys(value, seen)


def _find_rewritten_names(node, key, seen):
    """Yield a line about each number below one of NAMES that would be another text than written.

    `key` is the key that the YAML node belongs to.
    """
    if isinstance(node, yaml.CollectionNode) and id(node) not in seen:
        seen.add(id(node))
        for item in node.value:
            name, value = (item[0].value, item[1]) if isinstance(item, tuple) else (key, item)
            yield from _find_rewritten_names(value, name, seen)
    elif isinstance(node, yaml.ScalarNode) and isinstance(key, str) and key in NAMES:
        is_number = node.tag.endswith((":int", ":float"))
        if is_number and node.value != str(value := yaml.safe_load(node.value)):
            text, line = show_name(node.value), node.start_mark.line + 1
            yield (
                f"{key}: {text} in line {line} would be read as {value}. "
                f'Write it in quotes: "{node.value}"'
            )
