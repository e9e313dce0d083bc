from pathlib import Path

import pytest
from pydantic import ValidationError
from recsys_serving.settings import ServiceSettings, read_settings, to_environment

from recsys.errors import SettingsError

SECRET = "k3J9vQ2xR7mT5wZ8bN4cL6pD1fG0hS_a"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("RECSYS_")]:
        monkeypatch.delenv(name)


def test_the_environment_gives_settings(monkeypatch):
    monkeypatch.setenv("RECSYS_WORKERS", "5")
    monkeypatch.setenv("RECSYS_INTERACTION_TYPE_RETENTION_DAYS", '{"view": 90}')
    settings = read_settings()
    assert settings.workers == 5
    assert settings.interaction_type_retention_days == {"view": 90}


def test_an_unknown_variable_is_an_error(monkeypatch):
    monkeypatch.setenv("RECSYS_WORKER", "5")
    with pytest.raises(SettingsError, match="RECSYS_WORKER, which are no settings"):
        read_settings()


def test_the_frameworks_own_variable_is_none_of_the_services(monkeypatch):
    monkeypatch.setenv("RECSYS_CACHE", "/tmp/downloads")
    monkeypatch.setenv("RECSYS_API_URL", "http://127.0.0.1:8000")
    assert read_settings().workers == 2


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().port = 1


def test_a_password_shows_in_no_text():
    settings = read_settings(database_url="postgresql://me:hush-hush@db/recsys")
    assert "hush-hush" not in repr(settings) + str(settings)


def test_a_url_of_another_kind_is_refused_without_its_text():
    with pytest.raises(SettingsError, match="must start with postgresql://") as refused:
        read_settings(database_url="mysql://me:hush-hush@db/recsys")
    assert "hush-hush" not in str(refused.value)


def test_memory_takes_the_place_of_redis():
    assert read_settings(redis_url="memory").redis_url.get_secret_value() == "memory"


def test_a_rate_has_a_unit():
    with pytest.raises(SettingsError, match="rate_limit: .*such as 3000/minute"):
        read_settings(rate_limit="many")


def test_a_retention_is_a_day_or_more():
    with pytest.raises(SettingsError, match="one day or more"):
        read_settings(interaction_type_retention_days={"view": 0})


def test_a_word_that_is_none_of_those_allowed_is_repeated():
    with pytest.raises(SettingsError, match="runtime: Input should be 'inprocess' or 'triton', but is 'tritn'"):
        read_settings(runtime="tritn")


def test_triton_needs_its_address():
    with pytest.raises(SettingsError, match="requires triton_url"):
        read_settings(runtime="triton")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"signing_secret": "short"}, "32 characters or more"),
        ({"signing_secret": "a" * 64}, "made at random"),
        ({"database_url": None}, "database_url is required, or embedded_servers=true"),
        ({"redis_url": "redis://:redis@cache"}, "the password in redis_url must not be a default one"),
    ],
    ids=["short", "uniform", "embedded", "default-password"],
)
def test_production_refuses(values, message):
    good = {"database_url": "postgresql://me:Zk8vQ2@db/r", "redis_url": "memory", "signing_secret": SECRET}
    with pytest.raises(SettingsError, match=message):
        read_settings(environment="production", **(good | values))


def test_production_starts_with_what_it_needs():
    settings = read_settings(environment="production", signing_secret=SECRET, embedded_servers=True, redis_url="memory")
    assert settings.wants_embedded


def test_the_page_has_every_setting_with_its_default():
    page = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    for name, field in ServiceSettings.model_fields.items():
        default = {} if field.default_factory is not None else field.default
        written = "none" if default is None else f"`{default}`"
        assert f"| `{name}` | {written} |" in page, name


def test_another_process_has_the_same_settings(monkeypatch):
    settings = read_settings(
        bundle="/b/first", redis_url="memory", interaction_types=("view",), embedded_servers=True, workers=3
    )
    for name, value in to_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert read_settings() == settings


def test_bundles_are_beside_the_first_one(tmp_path):
    assert ServiceSettings(bundle=tmp_path / "bundles" / "first").bundles_directory == tmp_path / "bundles"
