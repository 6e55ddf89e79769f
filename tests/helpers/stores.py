"""Projects whose results are in a store: in a folder through the plugin fs, or in S3."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3

from project import Project

HAS_RSYNC = bool(shutil.which("rsync"))  # the plugin fs copies with it
KEYS = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "user", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret"}


class StoredProject(Project):
    """A project with its results in the folder `store`."""

    def __init__(self, folder, store):
        super().__init__(folder)
        self.store = store
        self.store.mkdir(exist_ok=True)
        self.options = ("--default-storage-provider", "fs", "--default-storage-prefix", store)

    @property
    def results(self):
        return self.store / "results"

    def snakemake(self, *arguments, **options):
        return super().snakemake(*self.options, *arguments, **options)

    def start(self, *arguments, **options):
        """Start Snakemake in a process group of its own; returns the process."""
        command = [sys.executable, "-m", "snakemake", "--cores", 2, *self.options, *arguments]
        return subprocess.Popen(
            list(map(str, command)), cwd=self.folder, start_new_session=True, **options
        )

    def made(self):
        """The bytes of every result but those that tell how long something took."""
        return made_in(self.results)


def made_in(results):
    """The bytes of every result but those that tell how long something took, by path."""
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for folder in ("data", "runs")
        for path in (results / folder).rglob("*")
        if path.is_file() and path.parent.name + path.suffix != "checkpoints.json"
    }


class S3Project(Project):
    """A project with its results in a bucket of `server`, an S3Server."""

    def __init__(self, folder, server):
        super().__init__(folder)
        self.server = server
        self.options = (
            *("--default-storage-provider", "s3", "--storage-s3-endpoint-url", server.url),
            *("--default-storage-prefix", f"s3://{server.bucket.name}/group"),
        )

    def snakemake(self, *arguments, **options):
        return super().snakemake(*self.options, *arguments, env=KEYS, **options)

    def made(self):
        self.download("results")
        return made_in(self.folder / "downloaded/results")

    def download(self, prefix):
        """Copy what is in the store to the folder `downloaded`."""
        shutil.rmtree(self.folder / "downloaded", ignore_errors=True)
        for item in self.server.bucket.objects.filter(Prefix=f"group/{prefix}"):
            path = self.folder / "downloaded" / item.key.removeprefix("group/")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.server.bucket.download_file(item.key, str(path))


class S3Server:
    """S3 on this machine, as moto emulates it, with a bucket; it counts its requests."""

    def __init__(self, url, log):
        self.url, self._log = url, log
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS.values()))
        service = boto3.resource("s3", endpoint_url=url, region_name="us-east-1", **keys)
        self.bucket = service.create_bucket(Bucket="bucket")

    @contextmanager
    def requests(self):
        """Yield a list that has the requests of the block, as METHOD PATH QUERY, when it ends."""
        before, found = self._log.stat().st_size, []
        yield found
        found += self._log.read_text()[before:].splitlines()


@contextmanager
def s3_server(folder):
    """Yield an S3Server, whose log is in `folder`."""
    log = folder / "requests"
    command = [sys.executable, Path(__file__).with_name("s3_server.py"), log]
    environment = os.environ | {"AWS_EC2_METADATA_DISABLED": "true"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield S3Server(server.stdout.readline().strip(), log)
    finally:
        server.kill()
        server.wait()
