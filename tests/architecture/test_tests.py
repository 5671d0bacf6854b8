"""Every source module is exercised by a test that names it, or by golden files that go through it."""

from __future__ import annotations

import pytest

from .tree import ROOT, imported_names, module_name, source_modules, tracked_files

# Modules that no test names: those under a prefix are gone through by the tests named with it.
TESTED_THROUGH = {
    "keys.ciphers": "tests/keys/test_field.py",  # protocols, and what keys are handed over as
    "keys.providers.local_document": "tests/keys/providers/test_local_file.py",  # changed files
    "keys.providers.vault.": "tests/keys/providers/test_vault.py",  # against a real server
    "proxy.sql.": "tests/sql/test_golden.py",  # statement in, plan out, for each of tests/sql/cases
    "proxy.session.": "tests/session/test_conversation_extended.py",  # conversations as transcripts
    "proxy.rows.": "tests/rows/test_results.py",
    "proxy.demo.": "tests/demo/test_run.py",
    "proxy.": "tests/integration/test_drivers.py",  # the shell: sockets and processes, by real clients
}


def covering(name: str) -> str | None:
    return next((test for prefix, test in TESTED_THROUGH.items() if name.startswith(prefix)), None)


def test_every_module_has_its_test() -> None:
    test_files = [p for p in tracked_files() if p.parts[0] == "tests" and p.suffix == ".py"]
    named = {p.stem.removeprefix("test_") for p in test_files if p.stem.startswith("test_")}
    imported = set().union(*(imported_names(p) for p in test_files))
    untested = [
        name
        for path in source_modules()
        if path.stem not in ("__init__", "__main__")
        and path.stem not in named
        and (name := module_name(path)) not in imported
        and covering(name) is None
    ]
    assert untested == []


@pytest.mark.parametrize("test", sorted(set(TESTED_THROUGH.values())))
def test_what_goes_through_them_exists(test: str) -> None:
    assert "def test_" in (ROOT / test).read_text()


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {p.parent for p in tracked_files() if p.parts[0] == "tests" and p.suffix == ".py"}
    assert [str(f) for f in folders if not (ROOT / f / "__init__.py").exists()] == []
