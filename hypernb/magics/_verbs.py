"""The verbs of ``%hyper`` and the options of ``%%hyper``: the table that all else reads."""

from __future__ import annotations

from typing import Final

from hypernb.magics._line import Option, Verb

_LIMIT: Final = Option("--limit", "At most so many.", "number", "N")
_TIMEOUT: Final = Option(
    "--timeout", "Stop waiting after so many seconds.", "number", "seconds"
)
_OUT: Final = Option("--out", "Bind the result to this variable.", "text", "NAME")

CELL_OPTIONS: Final = (
    Option("--playbook", "Use this plan instead of planning one.", "text", "NAME"),
    Option("--agents", "Only these agents.", "names", "a,b"),
    Option("--in", "Hand these variables in.", "names", "df,cfg"),
    _OUT,
    Option("--scope", "Only these files and folders.", "names", "src/,tests/"),
    Option("--budget", "Cap on cost.", "number", "dollars"),
    Option("--priority", "From 0 to 100; higher starts first.", "number", "0 to 100"),
    Option("--concurrency", "How many tasks at once.", "number", "tasks"),
    Option("--deadline", "Cap on the mission's time.", "number", "seconds"),
    Option("--model", "Have this model plan, and its agents use it.", "text", "M"),
    Option("--offline", "Use no model, and reach no host."),
    Option("--see", "How much of a variable a model may see.", "names", "df=schema,cfg=all"),
    Option("--tools", "What agents with a model may use.", "names", "a,b"),
    Option(
        "--approve", "Approve if the plan equals the one in this file.", "text", "plan.json"
    ),
    Option("--yes", "Approve at once, whatever the plan says."),
    Option("--wait", "Let the cell wait until the mission has ended."),
    Option("--no-wait", "Let the cell return at once, also without a person."),
    Option("--no-interpolate", "Leave {name} in the goal as it is."),
    Option("--record", "Keep what models answer in a cassette.", "file", "[PATH.jsonl]"),
    Option("--replay", "Answer from a cassette, and ask nobody.", "file", "[PATH.jsonl]"),
)

_RUN_OPTIONS: Final = tuple(
    option for option in CELL_OPTIONS if option.name not in ("--playbook", "--no-interpolate")
)

MODEL_SETTINGS: Final = ("model", "base_url", "content", "cache_s", "offline")
"""Settings of models, which ``%config HyperMagics`` has too."""

SETTINGS: Final = ("db", "runner", "root", *MODEL_SETTINGS)
"""What ``%hyper config`` sets."""

EDITED_FIELDS: Final = ("agent", "goal", "needs", "tools")
"""Fields of a task that ``%hyper edit`` has options for; the others are written as words."""

VERBS: Final = {
    verb.name: verb
    for verb in (
        Verb(
            "run",
            "Propose a playbook's plan.",
            "PLAYBOOK [args]",
            1,
            None,
            _RUN_OPTIONS,
            passes_on=True,
            completes="playbook",
        ),
        Verb(
            "ls",
            "List missions, newest first.",
            options=(
                _LIMIT,
                Option("--state", "Only in these states.", "names", "running,failed"),
            ),
        ),
        Verb("show", "Show a mission as it stands now.", "[M]", 0, 1, completes="mission"),
        Verb("attach", "Watch a mission live, and steer it.", "[M]", 0, 1, completes="mission"),
        Verb(
            "wait",
            "Wait until a mission has ended.",
            "[M]",
            0,
            1,
            (_TIMEOUT,),
            completes="mission",
        ),
        Verb(
            "events",
            "Show what happened.",
            "[M]",
            0,
            1,
            (
                _LIMIT,
                Option("--kind", "Only these kinds.", "names", "task.started,…"),
                Option("--after", "Only above this seq.", "number", "seq"),
            ),
            completes="mission",
        ),
        Verb("result", "Return a mission's result.", "[M]", 0, 1, (_OUT,), completes="mission"),
        Verb(
            "approve",
            "Approve a plan, or a part of it, and start it.",
            "M [task …]",
            1,
            None,
            (
                Option("--wait", "Wait until it has ended."),
                Option("--hash", "Only if the plan has this hash.", "text", "SHA-256"),
            ),
            completes="mission",
        ),
        Verb(
            "reject",
            "Reject a plan; nothing of it runs.",
            "M [reason]",
            1,
            None,
            completes="mission",
        ),
        Verb(
            "edit",
            "Change a plan before approval.",
            "M [task] [field=value …]",
            1,
            None,
            (
                Option("--drop", "Leave these tasks out.", "names", "t3,t4"),
                Option("--add", "Add a task of this name.", "text", "NAME"),
                Option("--agent", "Who does the task.", "text", "NAME"),
                Option("--goal", "What it is to do.", "text", "TEXT"),
                Option("--needs", "What has to be done before it.", "names", "t1,t2"),
                Option("--tools", "The tools it uses.", "names", "ruff,tests"),
            ),
            completes="mission",
        ),
        Verb(
            "diff",
            "Show what the newest revision of a plan changes.",
            "[M [revision]]",
            0,
            2,
            completes="mission",
        ),
        Verb(
            "comment",
            "Say something about a plan or a task, or list what was said.",
            "M [task] [TEXT]",
            1,
            1,
            takes_text=True,
            completes="mission",
        ),
        Verb("pause", "Stop running work where it is.", "M", 1, 1, completes="mission"),
        Verb(
            "resume",
            "Let a paused mission go on.",
            "[M]",
            0,
            1,
            (
                Option("--budget", "With this budget from now on.", "number", "dollars"),
                Option("--model", "With this model from now on.", "text", "M"),
                Option("--yes", "The model may be at a host that is new to it."),
                Option("--finish", "Only with what is left; nothing new starts."),
            ),
            completes="mission",
        ),
        Verb("cancel", "End a mission and all its processes.", "M", 1, 1, completes="mission"),
        Verb(
            "retry",
            "Try what failed or was skipped again.",
            "M [task]",
            1,
            2,
            (Option("--wait", "Wait until it has ended."),),
            completes="mission",
        ),
        Verb(
            "rewind",
            "Do a mission anew from a task on, as a new mission.",
            "M [task] [field=value …]",
            1,
            None,
            (
                Option("--drop", "Leave these tasks out.", "names", "t3,t4"),
                Option("--budget", "Another cap on cost.", "number", "dollars"),
                Option("--yes", "Approve at once, whatever the plan says."),
                Option("--wait", "Wait until it has ended."),
                _OUT,
            ),
            completes="mission",
        ),
        Verb("find", "Search all missions.", "TEXT", 1, 1, (_LIMIT,), takes_text=True),
        Verb(
            "sql",
            "Ask the store; it can only read.",
            '"select …"',
            1,
            1,
            (_LIMIT,),
            takes_text=True,
        ),
        Verb(
            "export",
            "Write a mission as .ipynb, .md, .html or .json.",
            "M FILE",
            2,
            2,
            (Option("--form", "notebook, markdown, html, json or plan.", "text", "FORM"),),
            completes="mission",
        ),
        Verb(
            "logs", "Show what the runner logged.", "[M]", 0, 1, (_LIMIT,), completes="mission"
        ),
        Verb("agents", "List the agents.", "[NAME]", 0, 1, completes="agent"),
        Verb("playbooks", "List the playbooks.", "[NAME]", 0, 1, completes="playbook"),
        Verb(
            "limits",
            "Show what missions share, or limit it.",
            "[RESOURCE]",
            0,
            1,
            (
                Option("--at-once", "So many tasks may hold it at once.", "number", "N"),
                Option("--rate", "So many may begin in a second.", "number", "N"),
                Option("--burst", "So many may begin at once after a rest.", "number", "N"),
                Option("--none", "Take its limits away."),
            ),
        ),
        Verb(
            "models",
            "List the models, or what a server offers.",
            "[PROFILE]",
            0,
            1,
            completes="profile",
        ),
        Verb(
            "usage",
            "Show what was used and paid.",
            options=(
                Option(
                    "--by", "Grouped by mission, agent, task, model or day.", "names", "model,…"
                ),
                Option("--mission", "Of this mission only.", "text", "M"),
                Option("--days", "Of the last so many days only.", "number", "N"),
                Option("--plot", "Draw it, too."),
            ),
        ),
        Verb(
            "cache",
            "Show kept answers of models, or forget some.",
            options=(
                Option("--evict", "Forget them: all, or those that the others name."),
                Option("--days", "Only those older than so many days.", "number", "N"),
                Option("--model", "Only those of this model.", "text", "M"),
            ),
        ),
        Verb(
            "quote",
            "Say what a mission will probably cost.",
            "[M]",
            0,
            1,
            completes="mission",
        ),
        Verb(
            "egress",
            "Show what of your variables would leave, and for which host.",
            "[M]",
            0,
            1,
            completes="mission",
        ),
        Verb(
            "why",
            "Say where a variable or a task's output is from.",
            "NAME",
            1,
            1,
            completes="variable",
        ),
        Verb(
            "config",
            "Show the settings and where they are from, or set some.",
            "[name=value …]",
            0,
            None,
            completes="setting",
        ),
        Verb("status", "Show what runs, what needs you, what it cost."),
        Verb(
            "doctor",
            "Look whether all that is needed is there, and what works with the model.",
            options=(
                Option("--fix", "Remove what it says could go, and say what went."),
                Option("--model", "Ask this model something small.", "text", "M"),
                Option("--offline", "Ask no model."),
            ),
        ),
        Verb("backup", "Copy the store to one file.", "[FILE]", 0, 1),
        Verb(
            "restore",
            "Put a backup in the store's place.",
            "FILE",
            1,
            1,
            (Option("--force", "Also if the store has missions."),),
        ),
        Verb("stop", "Ask the runner to end; missions are kept."),
        Verb("help", "Explain a verb, or list them.", "[VERB]", 0, 1, completes="verb"),
    )
}
