from functools import partial


def get_config(wildcards, keys, default):
    """Return what is below these keys of the config."""
    value = config
    for key in keys:
        value = value.get(key, default)
    return value


def config_provider(*keys, default=None):
    """Return a param or an input that is looked up in the config."""
    return partial(get_config, keys=keys, default=default)


def input_profiles(w):
    """The profiles of all technologies, by name."""
    return {
        f"profile_{technology}": resources(f"profile_{technology}.csv")
        for technology in config["technologies"]
    }
