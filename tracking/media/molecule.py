"""Molecules: files, texts, SMILES and objects of RDKit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import (
    checked_file,
    checked_type,
    extension_of,
    is_open_file,
    path_of,
    read_all,
)

FORMATS = ("pdb", "pqr", "mmcif", "mcif", "cif", "sdf", "sd", "gro", "mol2", "mmtf")
_RDKIT_FORMATS = ("mol", "sdf")


class Molecule(Media):
    """A molecule in space. Logged, it becomes {"_type": "molecule-file", "path", "sha256", "size"}."""

    type_name = "molecule-file"

    def __init__(self, data_or_path: Any, caption: str | None = None, file_type: str | None = None) -> None:
        """Take the path of a file, an open file, or the text itself.

        The type is the extension: pdb, pqr, mmcif, mcif, cif, sdf, sd, gro, mol2 or mmtf. A text and an open file
        without a name need `file_type`.

        Raises:
            UsageError: There is no such file, or its type is none of these.
        """
        self.caption = None if caption is None else str(caption)
        self.payload: payload.Payload
        if is_open_file(data_or_path) and (path := path_of(data_or_path)) is not None:
            data_or_path = path
        if is_open_file(data_or_path):
            extension = checked_type(file_type, FORMATS, "Molecule()")
            self.payload = payload.of_bytes(read_all(data_or_path), extension)
        elif _is_content(data_or_path, file_type):
            self.payload = payload.of_text(data_or_path, checked_type(file_type, FORMATS, "Molecule()"))
        elif isinstance(data_or_path, (str, os.PathLike)):
            extension = extension_of(os.fspath(data_or_path), FORMATS, "Molecule()")
            self.payload = payload.of_file(checked_file(data_or_path, "Molecule()"), extension)
        else:
            raise UsageError(
                f"Molecule(): it takes a path, an open file or a text, not {type(data_or_path).__name__}; "
                "for RDKit there is Molecule.from_rdkit(), for SMILES Molecule.from_smiles()"
            )

    @classmethod
    def from_rdkit(
        cls,
        data_or_path: Any,
        caption: str | None = None,
        convert_to_3d_and_optimize: bool = True,
        mmff_optimize_molecule_max_iterations: int = 200,
    ) -> Molecule:
        """From a molecule of RDKit, or a `.mol` or `.sdf` file that it reads (the first molecule).

        `convert_to_3d_and_optimize` adds hydrogens and looks for a shape, which takes long for large molecules.
        Raises UsageError, ExtraMissing without RDKit.
        """
        chem = require("rdkit.Chem", "", "Molecule.from_rdkit()")
        if isinstance(data_or_path, (str, os.PathLike)):
            molecule = _read_rdkit(chem, checked_file(data_or_path, "Molecule.from_rdkit()"))
        else:
            molecule = data_or_path
        if not isinstance(molecule, chem.rdchem.Mol):
            raise UsageError(f"Molecule.from_rdkit(): no molecule in {data_or_path!r}")
        if convert_to_3d_and_optimize:
            shapes = require("rdkit.Chem.AllChem", "", "Molecule.from_rdkit()")
            molecule = chem.AddHs(molecule)
            shapes.EmbedMolecule(molecule)
            shapes.MMFFOptimizeMolecule(molecule, maxIters=mmff_optimize_molecule_max_iterations)
        return cls(chem.rdmolfiles.MolToPDBBlock(molecule), caption=caption, file_type="pdb")

    @classmethod
    def from_smiles(
        cls,
        data: str,
        caption: str | None = None,
        sanitize: bool = True,
        convert_to_3d_and_optimize: bool = True,
        mmff_optimize_molecule_max_iterations: int = 200,
    ) -> Molecule:
        """From a SMILES text. Raises UsageError when RDKit cannot read it, ExtraMissing without RDKit."""
        chem = require("rdkit.Chem", "", "Molecule.from_smiles()")
        molecule = chem.MolFromSmiles(data, sanitize=sanitize)
        if molecule is None:
            raise UsageError(f"Molecule.from_smiles(): RDKit cannot read {data!r}")
        return cls.from_rdkit(molecule, caption, convert_to_3d_and_optimize, mmff_optimize_molecule_max_iterations)

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        record = {"_type": self.type_name, **self.payload.put(sink, f"media/molecule/{key}_{step}")}
        return record | ({"caption": self.caption} if self.caption is not None else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Molecule:
        """The molecule that a record speaks of."""
        molecule = cls.__new__(cls)
        molecule.caption, molecule.payload = record.get("caption"), payload.Stored(record, opener)
        return molecule


def _is_content(value: Any, file_type: str | None) -> bool:
    """Whether a text is a molecule and not a path: it has lines, or a type is given and no file has that name."""
    return isinstance(value, str) and ("\n" in value or (file_type is not None and not os.path.isfile(value)))


def _read_rdkit(chem: Any, file: Path) -> Any:
    if extension_of(file.name, _RDKIT_FORMATS, "Molecule.from_rdkit()") == "mol":
        return chem.MolFromMolFile(str(file))
    with chem.SDMolSupplier(str(file)) as molecules:
        return next(iter(molecules), None)
