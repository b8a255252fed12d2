"""Which distribution has a module, fixture or mark that tests use."""

from __future__ import annotations

_SAME = """
hypothesis freezegun responses requests numpy pandas scipy attrs flask werkzeug jinja2 click rich
mock nose parameterized ddt trustme hypercorn uvicorn starlette fastapi aiohttp httpx anyio trio
sniffio outcome greenlet gevent eventlet tornado twisted simplejson ujson orjson msgpack toml tomli
tomlkit lxml html5lib chardet docutils pygments markdown babel pytz tzdata psutil tox pexpect
portend cheroot sqlalchemy redis pymongo psycopg2 boto3 moto vcrpy betamax httpretty respx
pyfakefs testfixtures factory-boy faker sybil xmlschema jsonschema pydantic marshmallow
typing-extensions six packaging cryptography pyopenssl idna certifi urllib3 testpath pretend
expecttest flaky aioresponses asynctest hamcrest sure expects behave testtools fixtures
testscenarios subunit networkx matplotlib sympy mpmath gmpy2 pyperf tabulate wcwidth colorama
cffi cython virtualenv filelock platformdirs build installer pyproject-hooks hatchling flit-core
poetry-core wheel pip setuptools coverage syrupy inline-snapshot dirty-equals approvaltests
construct bitarray toolz cytoolz more-itertools sortedcontainers zstandard brotli h2 h11 pyquery
cssselect soupsieve regex arrow pendulum dateparser humanize tqdm termcolor blessed prompt-toolkit
pyte ptyprocess pluggy uvloop proxy-py pyjwt itsdangerous blinker asgiref django bottle falcon
webtest webob peewee pyparsing lark ply mypy jaraco-itertools jaraco-functools execnet nbformat
nbconvert ipython ipykernel docopt cloudpickle dill joblib xarray dask polars duckdb pyarrow
"""

_NAMED = {
    "yaml": "pyyaml",
    "attr": "attrs",
    "dateutil": "python-dateutil",
    "bs4": "beautifulsoup4",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "OpenSSL": "pyopenssl",
    "jwt": "pyjwt",
    "markdown_it": "markdown-it-py",
    "vcr": "vcrpy",
    "factory": "factory-boy",
    "pyhamcrest": "pyhamcrest",
    "hamcrest": "pyhamcrest",
    "proxy": "proxy-py",
    "IPython": "ipython",
    "cv2": "opencv-python-headless",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
    "usb": "pyusb",
    "zmq": "pyzmq",
    "git": "gitpython",
    "google.protobuf": "protobuf",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
    "subunit": "python-subunit",
    "pytest": "pytest",
    "_pytest": "pytest",
    "py": "py",
    "dns": "dnspython",
    "socks": "pysocks",
    "slugify": "python-slugify",
    "magic": "python-magic",
    "ruamel": "ruamel.yaml",
    "ruamel.yaml": "ruamel.yaml",
    "jaraco.test": "jaraco.test",
    "jaraco.itertools": "jaraco.itertools",
    "jaraco.functools": "jaraco.functools",
    "jaraco.path": "jaraco.path",
    "jaraco.envs": "jaraco.envs",
    "jaraco": "",
    "google": "",
    "pkg_resources": "setuptools<81",
    "setuptools": "setuptools",
    "distutils": "setuptools",
    "zope": "",
    "zope.interface": "zope.interface",
    "zope.testrunner": "zope.testrunner",
    "sphinx": "sphinx",
    "werkzeug": "werkzeug",
    "pyximport": "cython",
    "importlib_metadata": "importlib-metadata",
    "importlib_resources": "importlib-resources",
    "mdit_py_plugins": "mdit-py-plugins",
    "xdist": "pytest-xdist",
    "perf": "",
    "commonmark": "commonmark",
}
_PYTEST = """
asyncio mock cov benchmark timeout httpserver httpbin localserver regressions datadir django
django-queries flask aiohttp trio twisted tornado qt bdd freezer freezegun subtests lazy-fixture
lazy-fixtures cases check order repeat rerunfailures socket env recording snapshot postgresql
docker codspeed examples console-scripts click mpl doctestplus remotedata pytest-param-files
run-parallel servers subprocess memray randomly icdiff assume xprocess
"""

MODULES: dict[str, str] = {
    **{name.replace("-", "_"): name for name in _SAME.split()},
    **{f"pytest_{name.replace('-', '_')}": f"pytest-{name}" for name in _PYTEST.split()},
    **_NAMED,
}
"""Distributions by modules; an empty one is a namespace that says nothing by itself."""

FIXTURES = {
    "mocker": "pytest-mock",
    "class_mocker": "pytest-mock",
    "session_mocker": "pytest-mock",
    "benchmark": "pytest-benchmark",
    "httpbin": "pytest-httpbin",
    "httpbin_secure": "pytest-httpbin",
    "httpserver": "pytest-httpserver",
    "freezer": "pytest-freezer",
    "datadir": "pytest-datadir",
    "shared_datadir": "pytest-datadir",
    "data_regression": "pytest-regressions",
    "file_regression": "pytest-regressions",
    "num_regression": "pytest-regressions",
    "snapshot": "syrupy",
    "requests_mock": "requests-mock",
    "httpx_mock": "pytest-httpx",
    "respx_mock": "respx",
    "aiohttp_client": "pytest-aiohttp",
    "event_loop": "pytest-asyncio",
    "event_loop_policy": "pytest-asyncio",
    "subtests": "pytest-subtests",
    "faker": "faker",
    "fs": "pyfakefs",
    "qtbot": "pytest-qt",
    "script_runner": "pytest-console-scripts",
    "rf": "pytest-django",
    "db": "pytest-django",
    "admin_client": "pytest-django",
    "cov": "pytest-cov",
    "fp": "pytest-subprocess",
    "nursery": "pytest-trio",
    "autojump_clock": "pytest-trio",
    "smtpserver": "pytest-localserver",
    "xprocess": "pytest-xprocess",
    "worker_id": "pytest-xdist",
    "testrun_uid": "pytest-xdist",
    "image_regression": "pytest-regressions",
}

MARKS = {
    "asyncio": "pytest-asyncio",
    "anyio": "anyio",
    "trio": "pytest-trio",
    "timeout": "pytest-timeout",
    "benchmark": "pytest-benchmark",
    "django_db": "pytest-django",
    "freeze_time": "pytest-freezer",
    "flaky": "pytest-rerunfailures",
    "remote_data": "pytest-remotedata",
    "vcr": "pytest-recording",
    "gen_test": "pytest-tornado",
    "order": "pytest-order",
    "repeat": "pytest-repeat",
    "parametrize_with_cases": "pytest-cases",
    "mpl_image_compare": "pytest-mpl",
    "enable_socket": "pytest-socket",
    "disable_socket": "pytest-socket",
    "respx": "respx",
}
