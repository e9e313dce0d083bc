from recsys.cli.config_directory import CONFIG_DIRECTORY


def test_has_the_configurations():
    assert (CONFIG_DIRECTORY / "train.yaml").is_file()
