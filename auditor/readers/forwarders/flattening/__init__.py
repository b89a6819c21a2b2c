"""The configuration of a forwarder in a tree in; `LINE|path<TAB>value` of the settings that are asked for out. Pure.

What flatten.py has a host do in awk, for files that are read here: the same settings, and `?` for the same places.
"""

from auditor.readers.forwarders.flattening.of_blocks import assigned, blocks
from auditor.readers.forwarders.flattening.of_river import river
from auditor.readers.forwarders.flattening.of_toml import toml
from auditor.readers.forwarders.flattening.of_yaml import yaml
from auditor.readers.forwarders.flattening.settings import place

__all__ = ["assigned", "blocks", "place", "river", "toml", "yaml"]
