"""Generic package names are safe only as long as nobody else brings the same ones."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

import pytest

from .tree import PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_has_one_owner(package: str) -> None:
    assert set(packages_distributions()[package]) == {"fieldgate"}


def test_the_casbin_that_is_imported_is_pycasbin() -> None:
    """The distribution named `casbin` is an old one with the same import name."""
    assert set(packages_distributions()["casbin"]) == {"pycasbin"}
    with pytest.raises(PackageNotFoundError):
        distribution("casbin")


def test_no_package_of_ours_hides_a_module_of_the_standard_library() -> None:
    import sys

    assert not set(PACKAGES) & set(sys.stdlib_module_names)
