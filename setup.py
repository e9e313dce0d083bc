"""The packages of the distribution; everything else about it is in ``pyproject.toml``.

Configurations and scripts lie at the top of the repository and inside ``recsys`` in the wheel, so that an installed
``recsys train`` finds them. The tables of ``pyproject.toml`` can either search for packages or name them, not both.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["recsys", "recsys.*"]),
        *find_packages("serving", include=["recsys_serving", "recsys_serving.*"]),
        "recsys.configs",
        "recsys.scripts",
    ],
    package_dir={
        "recsys_serving": "serving/recsys_serving",
        "recsys.configs": "configs",
        "recsys.scripts": "scripts",
    },
    package_data={
        "recsys": ["py.typed"],
        "recsys.api": ["*.pyi"],
        "recsys.configs": ["**/*.yaml"],
        "recsys_serving": ["py.typed"],
        "recsys_serving.triton": ["backends/*/model.py"],
    },
    include_package_data=False,
)
