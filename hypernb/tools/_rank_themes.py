"""Words and weights for ranking: what kinds of findings there are, and what settles them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Theme:
    """How the findings of a tool or a category are weighed and spoken of.

    Attributes:
        weight: Factor on the severity.
        minutes: Rule of thumb for settling one finding.
        why: What is gained.
        whole: Its rules are one piece of work.
    """

    weight: float
    verb: str
    one: str
    many: str
    minutes: int
    why: str
    whole: bool = False


# Tools whose findings share a category with others' have a theme under their own name.
UNKNOWN: Final = Theme(1.0, "Settle", "finding", "findings", 15, "It is a known weak point.")
THEMES: Final = {
    "secret": Theme(
        3.0,
        "Remove and replace",
        "possible secret",
        "possible secrets",
        20,
        "Whoever can read the files can use a secret, and it stays in their history.",
        whole=True,
    ),
    "security": Theme(
        3.0,
        "Look over",
        "place that bandit warns of",
        "places that bandit warns of",
        20,
        "It is harmless or a hole, depending on where its input comes from.",
    ),
    "ignored-secrets": Theme(
        3.0,
        "Keep out of the repository",
        "secrets file",
        "secrets files",
        10,
        "A file with secrets that is not ignored is committed sooner or later.",
    ),
    "tests": Theme(
        2.5,
        "Mend",
        "failing test",
        "failing tests",
        30,
        "While a test fails, nobody sees what else breaks.",
    ),
    "sql": Theme(
        1.5,
        "Correct",
        "SQL statement",
        "SQL statements",
        15,
        "A wrong statement fails, answers wrongly, or takes data for commands.",
    ),
    "orm": Theme(
        1.2,
        "Complete",
        "database model",
        "database models",
        20,
        "Keys and limits that only the code knows do not hold in the database.",
    ),
    "lint": Theme(
        1.0,
        "Fix",
        "lint problem",
        "lint problems",
        4,
        "Mistakes that a machine can see hide those that only people see.",
    ),
    "imports": Theme(
        1.0,
        "Untangle",
        "import problem",
        "import problems",
        60,
        "Modules that know each other in a circle can only be changed together.",
    ),
    "containers": Theme(
        1.0,
        "Repair",
        "container setting",
        "container settings",
        15,
        "What runs there runs with more rights, or other versions, than meant.",
    ),
    "ci": Theme(
        1.0,
        "Repair",
        "CI setting",
        "CI settings",
        15,
        "A pipeline that is not pinned or not checked can change under you.",
    ),
    "packaging": Theme(
        1.0,
        "Repair",
        "packaging problem",
        "packaging problems",
        15,
        "What is not declared or pinned installs differently tomorrow.",
    ),
    "links": Theme(
        0.8,
        "Repair",
        "broken link",
        "broken links",
        5,
        "A reader who follows it finds nothing.",
    ),
    "markup": Theme(
        0.8,
        "Repair",
        "markup problem",
        "markup problems",
        8,
        "Some people, or some browsers, cannot use the page as it is.",
    ),
    "notebooks": Theme(
        0.7,
        "Clean up",
        "notebook problem",
        "notebook problems",
        8,
        "Stored outputs and broken cells mislead the next reader, and may hold data.",
    ),
    "untested": Theme(
        0.7,
        "Write tests for",
        "untested module",
        "untested modules",
        60,
        "A change there can break it without anybody noticing.",
    ),
    "modules": Theme(
        0.6,
        "Split",
        "oversized module",
        "oversized modules",
        120,
        "What does not fit into one head is changed with fear.",
    ),
    "complexity": Theme(
        0.6,
        "Simplify",
        "complex function",
        "complex functions",
        45,
        "Every further branch doubles the ways through a function.",
    ),
    "dead-code": Theme(
        0.5,
        "Delete",
        "piece of unused code",
        "pieces of unused code",
        5,
        "What is not there need not be read, tested or kept up to date.",
    ),
    "docs": Theme(
        0.5,
        "Write",
        "missing document",
        "missing documents",
        45,
        "Newcomers ask, or give up.",
    ),
    "todo": Theme(
        0.3,
        "Settle or delete",
        "open note",
        "open notes",
        20,
        "A note that nobody answers hides the one that matters.",
    ),
    "types": Theme(
        1.0,
        "Convert",
        "column of mixed or wrong type",
        "columns of mixed or wrong type",
        10,
        "Sums, joins and models go wrong silently on values of the wrong kind.",
    ),
    "missing": Theme(
        1.0,
        "Fill, explain or drop",
        "column with missing values",
        "columns with missing values",
        15,
        "What is missing rarely is missing at random; averages then lie.",
    ),
    "duplicates": Theme(
        1.2,
        "Remove or explain",
        "kind of duplicate",
        "kinds of duplicates",
        10,
        "Rows that count twice bend every figure, and leak from training into test.",
    ),
    "outliers": Theme(
        1.0,
        "Check",
        "column with outliers",
        "columns with outliers",
        15,
        "A single mistyped value can move a mean or a fit.",
    ),
    "correlation": Theme(
        0.6,
        "Choose between",
        "pair of columns that go together",
        "pairs of columns that go together",
        15,
        "Two columns that say the same share their effect at random.",
    ),
    "constant": Theme(
        0.6,
        "Drop",
        "constant column",
        "constant columns",
        3,
        "It says nothing, and some models fail on it.",
    ),
    "id-like": Theme(
        0.6,
        "Leave out of models:",
        "column that only numbers rows",
        "columns that only number rows",
        3,
        "A model learns it by heart and is lost on new rows.",
    ),
    "leakage": Theme(
        2.0,
        "Examine",
        "suspect of leakage",
        "suspects of leakage",
        30,
        "A model that is handed the answer shines here and fails on new data.",
    ),
}

# Rules with a name of their own in plain words: verb, one, many; without a plural, what the
# whole tree lacks.
RULES: Final = {
    "B101": ("Replace", "assert in shipped code", "asserts in shipped code"),
    "B105": ("Remove", "hardcoded password", "hardcoded passwords"),
    "B106": ("Remove", "hardcoded password", "hardcoded passwords"),
    "B107": ("Remove", "hardcoded password", "hardcoded passwords"),
    "B301": ("Replace", "use of pickle", "uses of pickle"),
    "B307": ("Replace", "call of eval", "calls of eval"),
    "B602": ("Replace", "call through a shell", "calls through a shell"),
    "B605": ("Replace", "call through a shell", "calls through a shell"),
    "B608": ("Rewrite", "SQL query built from strings", "SQL queries built from strings"),
    "F401": ("Remove", "unused import", "unused imports"),
    "F811": ("Rename or delete", "redefinition", "redefinitions"),
    "F821": ("Define", "undefined name", "undefined names"),
    "F841": ("Remove", "unused variable", "unused variables"),
    "E722": ("Narrow", "bare except", "bare excepts"),
    "action-by-tag": ("Pin", "action by its commit", "actions by their commits"),
    "action-on-branch": ("Pin", "action by its commit", "actions by their commits"),
    "blank-target-without-rel": ("Add rel to", "link to a new window", "links to a new window"),
    "broken-anchor": ("Repair", "link to a missing heading", "links to missing headings"),
    "broken-link": ("Repair", "broken link", "broken links"),
    "control-without-label": ("Label", "form control", "form controls"),
    "debugger-statement": ("Remove", "debugger statement", "debugger statements"),
    "duplicate-dependency": ("Merge", "duplicate dependency", "duplicate dependencies"),
    "duplicate-id": ("Rename", "duplicate id", "duplicate ids"),
    "env-not-ignored": ("Ignore", "environment file", "environment files"),
    "error-left-in": ("Clear", "error left in a notebook", "errors left in notebooks"),
    "failing-test": ("Mend", "failing test", "failing tests"),
    "foreign-key-without-index": ("Index", "foreign key", "foreign keys"),
    "html-without-lang": ("Name the language of", "page", "pages"),
    "image-without-alt": ("Describe", "image without alt text", "images without alt text"),
    "import-cycle": ("Break", "import cycle", "import cycles"),
    "large-output": ("Clear", "large notebook output", "large notebook outputs"),
    "layering": ("Turn round", "import against the layers", "imports against the layers"),
    "link-without-text": ("Give a text to", "link", "links"),
    "long-function": ("Split", "long function", "long functions"),
    "missing-dependency": ("Declare", "missing dependency", "missing dependencies"),
    "model-without-key": ("Give a key to", "model", "models"),
    "no-ci": ("Set up", "continuous integration", ""),
    "no-licence": ("Choose", "a licence", ""),
    "no-readme": ("Write", "a README", ""),
    "no-tests": ("Write", "the first tests", ""),
    "no-where": ("Add WHERE to", "statement that changes all rows", "statements on all rows"),
    "outputs-left-in": ("Clear", "notebook output left in", "notebook outputs left in"),
    "oversized-module": ("Split", "oversized module", "oversized modules"),
    "page-without-title": ("Give a title to", "page", "pages"),
    "plain-password": ("Remove", "password in plain text", "passwords in plain text"),
    "privileged-container": ("Restrict", "privileged container", "privileged containers"),
    "runs-as-root": ("Add a user to", "container that runs as root", "containers run as root"),
    "script-injection": ("Close", "way to inject a script", "ways to inject a script"),
    "secret-in-image": ("Remove", "secret baked into an image", "secrets baked into images"),
    "select-star": ("Name the columns of", "SELECT *", "SELECT *"),
    "sql-parse-error": ("Correct", "SQL statement", "SQL statements"),
    "string-built-sql": (
        "Rewrite",
        "SQL built from strings",
        "SQL statements built from strings",
    ),
    "suite-failed": ("Mend", "test run that broke off", "test runs that broke off"),
    "table-without-key": ("Give a key to", "table", "tables"),
    "tracked-checkpoint": ("Remove", "notebook checkpoint", "notebook checkpoints"),
    "tracked-secret": ("Remove", "tracked secrets file", "tracked secrets files"),
    "unpinned-dependency": ("Pin", "dependency", "dependencies"),
    "unpinned-image": ("Pin", "container image", "container images"),
    "untested-module": ("Write tests for", "untested module", "untested modules"),
}

# Rules that fire on nearly every project and rarely mean harm: a factor on their weight.
TRIFLES: Final = {"B101": 0.2, "B404": 0.2, "B603": 0.5, "B607": 0.5}

EFFORTS: Final = (
    (20, "about a quarter of an hour"),
    (45, "about half an hour"),
    (90, "about an hour"),
    (150, "about two hours"),
    (300, "about half a day"),
    (600, "about a day"),
    (1500, "a few days"),
)
