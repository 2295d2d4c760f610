"""YAML as people write it: tolerant reading with line numbers, byte-preserving edits."""
