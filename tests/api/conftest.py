from tests.api.fixtures import bundle_path, data, model, split

__all__ = ["bundle_path", "data", "model", "split"]
