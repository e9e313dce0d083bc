"""The errors that a user of the framework can cause, and nothing else.

::

    ValueError
    └── RecsysError            what was required, what came, what to do
        ├── DataError          raw data or its columns, values, ids
        ├── SourceError        raw files that could not be found, fetched or trusted
        ├── PreparedDataError  a prepared directory that is missing, incomplete or of another version
        ├── SettingsError      a setting of a wrong type or out of range
        ├── SplitError         a split that cannot be made from these interactions
        ├── ModelError         a model asked for something that it cannot do
        ├── EvaluationError    a measure asked of data or settings that do not define it
        ├── RetrievalError     a rule, an index or a pipeline asked for what its catalogue does not have
        ├── ExperimentError    an experiment that is set up wrongly, or data that it cannot be analysed from
        ├── RequestError       a request that is malformed: wrong types or ranges, unknown columns
        ├── RunError           a run directory that is missing, incomplete or belongs to other data
        ├── CheckpointError    a checkpoint that is damaged, so that no training goes on from it
        ├── LostRankError      another process of the same training has ended
        ├── ExportError        a bundle that cannot be written, because a model differs outside PyTorch, say
        ├── BundleError        a bundle that is missing, damaged or of another version, or asked for what it lacks
        └── ServingError       a model server that cannot be made, started or asked

    UserWarning
    ├── DataWarning            something about data that is allowed, and seldom meant
    └── BundleWarning          something about a bundle that is allowed, and seldom meant

Scripts print a ``RecsysError`` as one message and exit with status 2; anything else is a bug and keeps its
traceback. They print a ``DataWarning`` as one line, and ``strict=true`` makes it a ``DataError``.
"""


class RecsysError(ValueError):
    """Base class of every error that a user can cause and mend."""


class DataError(RecsysError):
    """Raw data do not have the columns, types or values that are required."""


class SourceError(RecsysError):
    """Raw files could not be found, fetched, or did not match their checksum."""


class PreparedDataError(RecsysError):
    """A prepared directory is missing, incomplete, damaged or of another version."""


class SettingsError(RecsysError):
    """A setting has a wrong type or is out of range."""


class SplitError(RecsysError):
    """A split cannot be made from these interactions."""


class ModelError(RecsysError):
    """A model was asked for something that it cannot do."""


class EvaluationError(RecsysError):
    """A measure was asked of data or settings that do not define it."""


class RetrievalError(RecsysError):
    """A rule, an index or a pipeline was asked for what its catalogue does not have."""


class ExperimentError(RecsysError):
    """An experiment is set up wrongly, or cannot be analysed from these data."""


class RequestError(RecsysError):
    """A request for recommendations is malformed: wrong types or ranges, columns or values that do not exist."""


class RunError(RecsysError):
    """A run directory is missing, incomplete, damaged or belongs to other data."""


class CheckpointError(RecsysError):
    """A checkpoint is damaged, so that no training goes on from it."""


class LostRankError(RecsysError):
    """Another process of the same training has ended before its end."""


class ExportError(RecsysError):
    """A bundle or a model repository cannot be written as it should be."""


class BundleError(RecsysError):
    """A bundle is missing, damaged or of another version, or was asked for what it does not have."""


class ServingError(RecsysError):
    """A model server cannot be made, started, asked or stopped as it should be."""


class DataWarning(UserWarning):
    """Data are taken as they are, but something about them is seldom meant: one line with a number and a remedy."""


class BundleWarning(UserWarning):
    """A bundle is served as it is, but something about it is seldom meant: one line with a remedy."""
