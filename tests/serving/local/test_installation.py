from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings


def test_all_files_are_below_var(tmp_path):
    installation = Installation.of(ServiceSettings(var=tmp_path / "var"))
    for path in (installation.postgres, installation.redis, installation.spool, installation.log, installation.api_key):
        assert path.is_relative_to(tmp_path / "var")


def test_an_installation_keeps_the_secret_that_it_made(tmp_path):
    settings = ServiceSettings(var=tmp_path)
    secret = Installation.of(settings).signing_secret(settings)
    assert len(secret) == 32
    assert Installation.of(settings).signing_secret(settings) == secret


def test_the_secret_of_the_settings_counts(tmp_path):
    settings = ServiceSettings(var=tmp_path, signing_secret="given")
    assert Installation.of(settings).signing_secret(settings) == b"given"
    assert not list(tmp_path.iterdir())
