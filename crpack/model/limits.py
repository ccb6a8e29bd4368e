"""The limits of the formats, with their units.

Rules: every number here stands in SPEC.md's table of limits under the same name, and a test
compares them. A reader refuses what is beyond a limit before it spends work on it.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

MAX_JSON_BYTES = 4 * MIB  # bytes of one canonical JSON document
MAX_JSON_DEPTH = 32  # nested arrays and objects
MAX_JSON_INTEGER = 2**53 - 1  # magnitude of an integer

MAX_TOML_BYTES = 1 * MIB  # bytes of one TOML text
MAX_TOML_DEPTH = 32  # nested tables and arrays
MAX_TOML_DOTS = 32_768  # dots in the keys of one TOML text
MAX_WHEN_BLOCKS = 64  # `[[when]]` blocks of one recipe; each is judged as merged into the base
MAX_RECIPE_VALUES = 32_768  # values of one recipe and of each block merged into it, together
MAX_REQUIREMENTS = 512  # requirements of one recipe, of components and of Python, all blocks
MAX_REQUIREMENT_LENGTH = 512  # characters of one Python requirement
MAX_PROBES = 64  # probes of one recipe, all blocks
MAX_PATTERN_LENGTH = 1024  # characters of all regular expressions of one recipe together
MAX_TEXT_LENGTH = 4096  # characters of one key or text of a recipe, the text of a source aside
MAX_TIMEOUT = 1_000_000  # seconds that an action or a step of a test may take
MAX_OUTPUT_BYTES = 64 * MIB  # bytes of the JSON that an action answers
MAX_FETCHED_BYTES = 64 * MIB  # bytes of a run folder that are fetched from another machine
MAX_SAMPLES = 65_536  # samples of one metric that a result holds; more become a histogram
MAX_RESULTS = 50_000  # own results that one page shows
MAX_AXES = 64  # axes of one page, and kinds of attributes

MAX_COMPONENT_BYTES = 255  # bytes of one component of a path, UTF-8
MAX_PATH_BYTES = 1024  # bytes of one path, UTF-8
MAX_PATH_DEPTH = 64  # components of one path
MAX_LINK_BYTES = 1024  # bytes of the target of a symbolic link, UTF-8
MAX_LINK_HOPS = 16  # links followed until a link's target is reached

MAX_NAME_LENGTH = 64  # characters of each half of a component's name
MAX_VERSION_LENGTH = 128  # characters of a version
MAX_RANGE_LENGTH = 512  # characters of a range of versions
MAX_TEXT_BYTES = 4 * KIB  # bytes of one text field of a manifest, UTF-8

MAX_COMPONENTS = 256  # components that one archive carries
MAX_MEMBERS = 16_384  # members of one archive (4 MiB of manifest hold no more)
MAX_ENTRIES = 262_144  # entries of one tree (a table of contents holds no more)
MAX_TOC_BYTES = 64 * MIB  # bytes of one table of contents, decompressed
MAX_FRAME_BYTES = 4 * MIB  # bytes of one frame, decompressed
MAX_PACKED_BYTES = 5 * MIB  # bytes of one frame, compressed
MAX_ZSTD_WINDOW = 8 * MIB  # bytes of the window a frame may ask for
MAX_ARCHIVE_BYTES = 2**50  # bytes of one archive
MAX_TAIL_BYTES = 16 * MIB  # bytes of an archive's end that are fetched by themselves
MAX_DIRECTORY_BYTES = 32 * MIB  # bytes of the directory and end records of one archive
MAX_SIGNATURES = 16  # signatures of one archive
MAX_SIGNATURES_BYTES = 64 * KIB  # bytes of signatures.json
MAX_KEY_BYTES = 16 * KIB  # bytes of one key file
MAX_LABEL_LENGTH = 128  # characters of the label of a pinned key
MAX_WHEEL_LISTING = 16 * MIB  # bytes of the list of members of one wheel
MAX_METADATA_BYTES = 4 * MIB  # bytes of the metadata of one wheel
MAX_HEAD_BYTES = 512 * KIB  # bytes of one metadata file of the head of an index
MAX_ROOTS = 256  # new roots that are followed after the pinned one

MAX_INDEX_BYTES = 16 * MIB  # bytes of one document of an index, decompressed
MAX_INDEX_PACKED = 4 * MIB  # bytes of one document of an index, as stored
MAX_CARDS = 16_384  # cards of one piece of the catalogue
MAX_RELEASES = 4096  # releases of one name
MAX_COPIES = 16  # copies of one release's archive
MAX_URL_LENGTH = 2048  # characters of an address
MAX_PUBLISHERS = 16_384  # rules of publishers.json
MAX_PUBLISHER_KEYS = 64  # keys of one rule of publishers.json
