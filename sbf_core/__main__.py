"""``python -m sbf_core`` is the same as ``sbf``."""

from __future__ import annotations

from sbf_core.cli.main import main

if __name__ == "__main__":
    main()
