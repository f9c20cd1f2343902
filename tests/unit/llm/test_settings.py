from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ConfigError
from hypernb.llm import ModelSettings

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.model import ModelSpec

PROFILE = '[profiles.local]\nbase_url = "http://localhost:9000/v1"\n'
FAR = '[profiles.far]\nbase_url = "https://models.example.org/v1"\nkey = "FAR_KEY"\n'
KEY = "sk-very-secret-0123456789"


@dataclass
class Place:
    """A user's folder and a project, and what the environment says."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.folder / "project"
        self.own_file = self.folder / "home" / "config.toml"
        self.project_file = self.root / ".hypernb" / "config.toml"
        for file in (self.own_file, self.project_file):
            file.parent.mkdir(parents=True)
        self.environ["HYPERNB_HOME"] = str(self.own_file.parent)

    def own(self, text: str) -> None:
        self.own_file.write_text(text)

    def project(self, text: str) -> None:
        self.project_file.write_text(text)

    def trust(self, text: str = "") -> None:
        self.own(f'trust = ["{self.root}"]\n{text}')

    def load(self, **overrides: Any) -> ModelSettings:
        return ModelSettings.load(self.root, self.environ, overrides)

    def spec(self, name: str = "", **more: Any) -> ModelSpec:
        found = self.load().resolve(name, **more)
        assert found is not None
        return found[1]

    def named(self, name: str = "", **more: Any) -> str:
        found = self.load().resolve(name, **more)
        return "" if found is None else found[0]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# -- which model ---------------------------------------------------------------------------


def test_nothing_configured_is_no_model(place: Place) -> None:
    settings = place.load()
    assert settings.resolve() is None
    assert (settings.content, settings.cache_s, settings.mode) == ("full", 0.0, "live")
    assert settings.hint().startswith("No model is configured: ")


def test_key_alone_chooses_no_model(place: Place) -> None:
    place.environ["OPENAI_API_KEY"] = KEY
    assert place.load().resolve() is None
    assert place.load().hint().startswith("OPENAI_API_KEY is set, and no model is named")


def test_later_settings_go_before_earlier_ones(place: Place) -> None:
    place.own('model = "ollama:own"\n')
    assert place.named() == "ollama:own"
    place.project('model = "ollama:project"\n')
    assert place.named() == "ollama:project"
    place.environ["HYPERNB_MODEL"] = "ollama:environment"
    assert place.named() == "ollama:environment"
    found = place.load(model="ollama:session").resolve()
    assert found is not None
    assert found[0] == "ollama:session"


def test_cache_of_no_seconds_turns_off_that_of_the_environment(place: Place) -> None:
    place.environ["HYPERNB_CACHE_S"] = "3600"
    assert place.load(cache_s=0).cache_s == 0
    assert place.load(cache_s=None, model="").cache_s == 3600


def test_agents_are_no_variable_of_the_environment(place: Place) -> None:
    place.environ["HYPERNB_AGENTS"] = "qa-engineer=gpt-4o"
    assert place.load().agents == {}


def test_name_given_goes_before_the_agents_own_and_that_of_all(place: Place) -> None:
    place.own('model = "ollama:all"\n[agents]\nqa-engineer = "ollama:qa"\n')
    assert place.named(agent="backend-specialist") == "ollama:all"
    assert place.named(agent="qa-engineer") == "ollama:qa"
    assert place.named("ollama:given", agent="qa-engineer") == "ollama:given"
    assert place.load().agents == {"qa-engineer": "ollama:qa"}


@pytest.mark.parametrize(
    ("name", "local", "address", "model"),
    [
        pytest.param("gpt-4o", "gpt-4o", "https://api.openai.com/v1", "gpt-4o", id="plain"),
        pytest.param(
            "openai:gpt-4o", "gpt-4o", "https://api.openai.com/v1", "gpt-4o", id="openai"
        ),
        pytest.param(
            "ollama:qwen3:8b", "ollama:qwen3:8b", "http://localhost:11434/v1", "qwen3:8b",
            id="tag",
        ),
        pytest.param(
            "lmstudio:a", "lmstudio:a", "http://localhost:1234/v1", "a", id="lm-studio"
        ),
        pytest.param("vllm:a", "vllm:a", "http://localhost:8000/v1", "a", id="vllm"),
        pytest.param("llamacpp:a", "llamacpp:a", "http://localhost:8080/v1", "a", id="cpp"),
        pytest.param("local", "local:mine", "http://localhost:9000/v1", "mine", id="profile"),
        pytest.param("mine", "local:mine", "http://localhost:9000/v1", "mine", id="its-model"),
        pytest.param(
            "openai:local", "openai:local", "https://api.openai.com/v1", "local", id="both"
        ),
        pytest.param(
            "org/m:free", "org/m:free", "https://api.openai.com/v1", "org/m:free", id="colon"
        ),
    ],
)  # fmt: skip
def test_names_mean_a_profile_and_a_model(
    place: Place, name: str, local: str, address: str, model: str
) -> None:
    place.own(PROFILE + 'model = "mine"\n')
    found = place.load().resolve(name)
    assert found is not None
    assert (found[0], found[1].base_url, found[1].name) == (local, address, model)
    again = place.load().resolve(found[0])
    assert again == found


def test_profile_that_nearly_exists_is_no_model(place: Place) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'ollama:qwen3'"):
        place.load().resolve("olama:qwen3")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("wrok", "Did you mean 'work'.* write 'openai:wrok'", id="changed"),
        pytest.param("wrokk", "Did you mean 'work'", id="changed-and-one-too-many"),
        pytest.param("loccal", "Did you mean 'local'", id="one-too-many"),
        pytest.param("Work", "Did you mean 'work'", id="case"),
        pytest.param("wrok:large", "Did you mean 'work:large'", id="of-a-profile"),
        pytest.param("nosuch:foo", "There is no profile 'nosuch'", id="unknown"),
    ],
)
def test_mistyped_profile_is_refused_and_goes_to_no_other_host(
    place: Place, name: str, said: str
) -> None:
    place.own(PROFILE + FAR.replace("far", "work") + 'model = "m"\n')
    with pytest.raises(ConfigError, match=said):
        place.load().resolve(name)


def test_mistyped_profile_is_refused_beside_an_address_too(place: Place) -> None:
    place.own(FAR.replace("far", "work") + 'model = "m"\n')
    place.environ["OPENAI_BASE_URL"] = "http://localhost:7000/v1"
    with pytest.raises(ConfigError, match="Did you mean 'work'"):
        place.load().resolve("wrok")
    assert place.spec("openai:wrok").name == "wrok"
    assert place.spec("qwen3:8b").name == "qwen3:8b"


@pytest.mark.parametrize("name", ["gpt-4o", "scripted", "large-2", "ft:gpt-4o:org::id"])
def test_names_of_models_are_no_mistyped_profiles(place: Place, name: str) -> None:
    place.own(FAR.replace("far", "gpt-4") + FAR.replace("far", "large"))
    assert place.named(name) == name


def test_name_that_several_profiles_have_as_their_model_is_refused(place: Place) -> None:
    place.own(FAR + 'model = "m"\n' + PROFILE + 'model = "m"\n')
    with pytest.raises(ConfigError, match="Write 'far:m' or 'local:m'"):
        place.load().resolve("m")
    assert place.named("local:m") == "local:m"
    # An address that was set here goes before both.
    place.environ["OPENAI_BASE_URL"] = "http://localhost:7000/v1"
    assert place.spec("m").host == "localhost:7000"


def test_profile_without_a_model_asks_for_one(place: Place) -> None:
    with pytest.raises(ConfigError, match="Write ollama:NAME"):
        place.load().resolve("ollama")


def test_profile_says_what_a_server_can(place: Place) -> None:
    place.own(
        FAR + 'model = "m"\napi = "responses"\ncontext_tokens = 8000\nmax_output_tokens = 500\n'
        'timeout_s = 20\nstreams = false\ntools = false\nschema_mode = "json"\n'
    )
    spec = place.spec("far")
    assert (spec.api, spec.context_tokens, spec.max_output_tokens) == ("responses", 8000, 500)
    assert (spec.timeout_s, spec.streams, spec.tools) == (20.0, False, False)
    assert (spec.schema_mode, spec.key) == ("json", "FAR_KEY")


def test_own_profile_changes_a_built_in_one(place: Place) -> None:
    place.own("[profiles.openai]\ntimeout_s = 9\n")
    spec = place.spec("gpt-4o")
    assert (spec.timeout_s, spec.base_url) == (9.0, "https://api.openai.com/v1")


def test_own_price_goes_before_the_list(place: Place) -> None:
    place.own(PROFILE + '[profiles.local.prices."m"]\ninput = 1\noutput = 2.5\n')
    price = place.spec("local:m").price
    assert price is not None
    assert (price.input, price.output, price.source) == (1.0, 2.5, str(place.own_file))
    other = place.spec("local:other").price
    assert other is not None
    assert (other.input, other.output, other.source) == (0, 0, "runs on your machine")


def test_limits_of_a_host_are_calls_at_once_and_a_minute(place: Place) -> None:
    place.own(PROFILE + "at_once = 2\nrate = 120\n")
    limits = place.load().limits()
    assert list(limits) == ["localhost:9000"]
    assert (limits["localhost:9000"].at_once, limits["localhost:9000"].rate_per_s) == (2, 2.0)


def test_models_are_those_that_the_settings_name(place: Place) -> None:
    place.own('model = "ollama:a"\n[agents]\nqa-engineer = "vllm:b"\n' + PROFILE)
    assert list(place.load().models()) == ["ollama:a", "vllm:b"]


def test_servers_are_those_of_all_profiles(place: Place) -> None:
    place.own(FAR)
    servers = place.load().servers()
    assert list(servers) == ["openai", "ollama", "lmstudio", "vllm", "llamacpp", "far"]
    assert (servers["far"].host, servers["far"].key) == ("models.example.org", "FAR_KEY")


def test_offline_is_no_model_and_says_why(place: Place) -> None:
    place.environ |= {"HYPERNB_MODEL": "ollama:a", "HYPERNB_MODE": "offline"}
    assert place.load().resolve("ollama:b") is None
    assert "HYPERNB_MODE says offline" in place.load().hint()


# -- keys ------------------------------------------------------------------------------------


def test_key_is_named_and_known_by_its_fingerprint(place: Place) -> None:
    place.environ["OPENAI_API_KEY"] = f" {KEY}\n"
    spec = place.spec("gpt-4o", fingerprint=lambda key: f"id-of-{key[-3:]}")
    assert (spec.key, spec.key_id) == ("OPENAI_API_KEY", "id-of-789")
    assert ModelSettings.key_of(spec, place.environ) == KEY


def test_key_that_is_not_there_has_no_fingerprint(place: Place) -> None:
    spec = place.spec("gpt-4o", fingerprint=lambda _: "never")
    assert (spec.key, spec.key_id) == ("OPENAI_API_KEY", "")
    assert ModelSettings.key_of(spec, place.environ) is None


def test_address_of_the_environment_needs_no_key_on_this_machine(place: Place) -> None:
    place.environ["OPENAI_BASE_URL"] = "http://127.0.0.1:9999/v1"
    spec = place.spec("m", fingerprint=lambda _: "id")
    assert (spec.base_url, spec.key, spec.key_id) == ("http://127.0.0.1:9999/v1", "", "")
    place.environ["OPENAI_API_KEY"] = KEY
    assert place.spec("m").key == "OPENAI_API_KEY"


def test_address_elsewhere_needs_the_key(place: Place) -> None:
    place.environ["OPENAI_BASE_URL"] = "https://models.example.org/v1"
    assert place.spec("m").key == "OPENAI_API_KEY"


def test_names_of_keys_are_those_of_all_profiles(place: Place) -> None:
    place.own(FAR)
    assert place.load().key_names() == ("FAR_KEY", "OPENAI_API_KEY")


def test_no_secret_is_in_anything_that_is_shown(place: Place) -> None:
    place.environ |= {"OPENAI_API_KEY": KEY, "FAR_KEY": KEY}
    place.own(FAR + 'model = "m"\n')
    settings = place.load(model="far")
    shown = repr(settings) + repr(settings.describe()) + settings.hint()
    assert KEY not in shown
    assert "FAR_KEY is set" in shown


def test_settings_say_where_they_are_from(place: Place) -> None:
    place.own('content = "hashes"\n')
    place.environ["HYPERNB_MODEL"] = "ollama:a"
    rows = {row.name: (row.value, row.source) for row in place.load(cache_s=60).describe()}
    assert rows["model"] == ("ollama:a", "HYPERNB_MODEL")
    assert rows["content"] == ("hashes", str(place.own_file))
    assert rows["cache_s"] == (60.0, "this session")
    assert rows["mode"] == ("live", "built in")
    assert not any(name.startswith("profiles.") for name in rows)


def test_servers_that_somebody_has_set_are_among_the_settings(place: Place) -> None:
    place.own(FAR)
    place.environ["OPENAI_BASE_URL"] = "https://models.example.net/v1"
    rows = {row.name: (row.value, row.source) for row in place.load().describe()}
    assert rows["profiles.openai"] == (
        "https://models.example.net/v1, OPENAI_API_KEY is not set",
        "OPENAI_BASE_URL",
    )
    assert rows["profiles.far"] == (
        "https://models.example.org/v1, FAR_KEY is not set",
        str(place.own_file),
    )


def test_key_itself_in_a_file_is_refused_and_not_repeated(place: Place) -> None:
    place.own(FAR.replace("FAR_KEY", KEY))
    with pytest.raises(ConfigError, match="no name of a variable") as caught:
        place.load()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"https://me:{KEY}@models.example.org/v1", id="password"),
        pytest.param(f"https://models.example.org/v1?key={KEY}", id="query"),
        pytest.param(f"file:///{KEY}", id="file"),
    ],
)
def test_address_with_a_secret_is_refused_and_not_repeated(place: Place, url: str) -> None:
    place.environ["OPENAI_BASE_URL"] = url
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL is no address") as caught:
        place.load()
    assert KEY not in str(caught.value)


# -- whom to trust ---------------------------------------------------------------------------


def test_project_chooses_among_what_the_user_has_named(place: Place) -> None:
    place.own('model = "gpt-4o"\n' + FAR + 'model = "m"\n')
    for name, local in (("far", "far:m"), ("gpt-4o", "gpt-4o"), ("ollama:any", "ollama:any")):
        place.project(f'model = "{name}"\n')
        assert place.named() == local


@pytest.mark.parametrize("name", ["gpt-5-pro", "far:dear", "openai:gpt-4o-audio"])
def test_project_does_not_choose_what_the_user_has_not_named(place: Place, name: str) -> None:
    place.own('model = "gpt-4o"\n' + FAR + 'model = "m"\n')
    place.project(f'model = "{name}"\n')
    with pytest.raises(ConfigError, match="which you have not named") as caught:
        place.load().resolve()
    assert str(place.own_file) in caught.value.hint
    assert len(str(caught.value).splitlines()) == 1


def test_what_a_person_says_goes_before_a_project_that_is_refused(place: Place) -> None:
    place.project('model = "gpt-5-pro"\n')
    assert place.named("gpt-4o") == "gpt-4o"
    place.environ["HYPERNB_MODEL"] = "gpt-4o"
    assert place.named() == "gpt-4o"


def test_replay_asks_nobody_so_a_project_may_choose(place: Place) -> None:
    place.project('model = "gpt-5-pro"\n')
    place.environ["HYPERNB_MODE"] = "replay"
    assert place.named() == "gpt-5-pro"


def test_name_from_a_card_of_the_project_is_the_projects_choice(place: Place) -> None:
    with pytest.raises(ConfigError, match="which you have not named"):
        place.load().resolve("gpt-5-pro", is_foreign=True)
    place.trust()
    assert place.named("gpt-5-pro", is_foreign=True) == "gpt-5-pro"


def test_models_of_agents_are_the_projects_choice_too(place: Place) -> None:
    place.project('[agents]\nqa-engineer = "gpt-5-pro"\n')
    with pytest.raises(ConfigError, match="which you have not named"):
        place.load().resolve(agent="qa-engineer")


def test_project_may_have_a_profile_of_this_machine(place: Place) -> None:
    place.project('model = "near:m"\n[profiles.near]\nbase_url = "http://127.0.0.1:5000/v1"\n')
    assert place.spec().base_url == "http://127.0.0.1:5000/v1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            '[profiles.x]\nbase_url = "https://evil.example.org/v1"\n',
            "has a profile 'x' for 'https://evil.example.org/v1'",
            id="address",
        ),
        pytest.param(
            '[profiles.x]\nbase_url = "http://localhost.example.org/v1"\n',
            "has a profile 'x'",
            id="near-address",
        ),
        pytest.param(
            '[profiles.x]\nbase_url = "http://localhost:1/v1"\nkey = "AWS_SECRET_ACCESS_KEY"\n',
            "names a key for its profile 'x'",
            id="key",
        ),
        pytest.param(
            '[profiles.openai]\nbase_url = "http://localhost:1/v1"\n',
            "changes the profile 'openai'",
            id="name",
        ),
    ],
)
def test_profiles_of_strangers_are_refused(place: Place, text: str, said: str) -> None:
    place.project(text)
    with pytest.raises(ConfigError, match=said) as caught:
        place.load()
    assert f'trust = ["{place.root}"]' in caught.value.hint
    assert "AWS_SECRET" not in str(caught.value)


def test_project_that_is_trusted_may_have_profiles_and_models(place: Place) -> None:
    place.trust()
    place.project('model = "far:dear"\n' + FAR)
    spec = place.spec()
    assert (spec.name, spec.key) == ("dear", "FAR_KEY")
    assert "FAR_KEY" in place.load().key_names()


def test_environment_goes_before_a_project_that_is_trusted(place: Place) -> None:
    place.trust()
    place.project('[profiles.openai]\nbase_url = "https://models.example.org/v1"\n')
    assert place.spec("m").base_url == "https://models.example.org/v1"
    place.environ["OPENAI_BASE_URL"] = "http://localhost:7000/v1"
    assert (place.spec("m").base_url, place.spec("m").key) == ("http://localhost:7000/v1", "")


def test_trust_is_of_this_very_folder(place: Place) -> None:
    place.own(f'trust = ["{place.root.parent}"]\n')
    place.project(FAR)
    with pytest.raises(ConfigError, match="only a project that you trust"):
        place.load()


def test_project_cannot_trust_itself(place: Place) -> None:
    place.project(f'trust = ["{place.root}"]\n')
    with pytest.raises(ConfigError, match="cannot say whom to trust"):
        place.load()


def test_project_has_less_kept_and_never_more(place: Place) -> None:
    place.own('content = "hashes"\n')
    place.project('content = "none"\n')
    assert place.load().content == "none"
    place.project('content = "full"\n')
    assert place.load().content == "hashes"
    place.environ["HYPERNB_CONTENT"] = "full"
    assert place.load().content == "full"


def test_project_has_answers_cached_for_less_long_and_never_longer(place: Place) -> None:
    place.project("cache_s = 60\n")
    assert place.load().cache_s == 0.0
    place.own("cache_s = 3600\n")
    assert place.load().cache_s == 60.0
    place.project("cache_s = 1e9\n")
    assert place.load().cache_s == 3600.0
    place.own(f'cache_s = 3600\ntrust = ["{place.root}"]\n')
    assert place.load().cache_s == 1e9


def test_project_does_not_take_the_name_of_the_users_model(place: Place) -> None:
    place.own('model = "gpt-4o"\n')
    place.project('[profiles.gpt-4o]\nbase_url = "http://localhost:1/v1"\nmodel = "other"\n')
    assert place.spec().base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("profile", "typed", "model"),
    [
        pytest.param("gpt-5-mini", "gpt-5-mini", "gpt-5-mini", id="bare"),
        pytest.param("ft", "ft:gpt-4o:me::1", "ft:gpt-4o:me::1", id="tuned"),
    ],
)
def test_no_project_takes_a_name_that_a_person_types(
    place: Place, profile: str, typed: str, model: str
) -> None:
    place.project(f'[profiles."{profile}"]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "x"\n')
    spec = place.spec(typed)
    assert (spec.base_url, spec.name) == ("https://api.openai.com/v1", model)


@pytest.mark.parametrize("where", ["environment", "session", "own"])
def test_no_project_takes_a_name_of_a_server_that_the_person_has_set(
    place: Place, where: str
) -> None:
    place.project('[profiles.qwen3]\nbase_url = "http://127.0.0.1:1/v1"\n')
    address, more = "http://localhost:11434/v1", {}
    if where == "environment":
        place.environ["OPENAI_BASE_URL"] = address
    elif where == "session":
        more = {"base_url": address}
    else:
        place.own(f'[profiles.openai]\nbase_url = "{address}"\n')
    settings = place.load(**more)
    found = settings.resolve("qwen3:8b")
    assert found is not None
    assert (found[0], found[1].base_url) == ("openai:qwen3:8b", address)
    assert settings.resolve(found[0]) == found


def test_no_project_takes_the_model_of_a_profile_of_ones_own(place: Place) -> None:
    place.own('[profiles.near]\nbase_url = "http://localhost:9/v1"\nmodel = "qwen3:8b"\n')
    place.project('[profiles.qwen3]\nbase_url = "http://127.0.0.1:1/v1"\n')
    assert place.named("qwen3:8b") == "near:qwen3:8b"


def test_profile_of_a_project_has_a_name_of_its_own_and_says_which_file_names_it(
    place: Place,
) -> None:
    place.project('[profiles.near]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n')
    assert place.spec("near:m").base_url == "http://127.0.0.1:1/v1"
    profile = place.load().project_profile("near:m")
    assert profile is not None
    assert profile.source == str(place.project_file)
    assert place.load().project_profile("gpt-4o") is None
    assert place.load().project_profile("ollama:m") is None


@pytest.mark.parametrize("name", ["OpenAI", "OLLAMA"])
def test_project_has_no_profile_that_differs_from_one_of_yours_by_case(
    place: Place, name: str
) -> None:
    place.project(f'[profiles.{name}]\nbase_url = "http://127.0.0.1:1/v1"\n')
    with pytest.raises(ConfigError, match=f"'{name.lower()}', which is yours, by '{name}'"):
        place.load()


def test_profile_in_other_letters_is_no_model(place: Place) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'openai:gpt-4o'"):
        place.load().resolve("OpenAI:gpt-4o")


@pytest.mark.parametrize("where", ["environment", "session"])
def test_address_that_is_nearer_goes_before_the_profile_that_has_the_model(
    place: Place, where: str
) -> None:
    place.own(FAR + 'model = "large"\n')
    assert place.spec("large").base_url == "https://models.example.org/v1"
    address, more = "http://localhost:8000/v1", {}
    if where == "environment":
        place.environ["OPENAI_BASE_URL"] = address
    else:
        more = {"base_url": address}
    found = place.load(**more).resolve("large")
    assert found is not None
    assert (found[0], found[1].base_url, found[1].key) == ("large", address, "")


def test_address_of_a_session_that_is_none_blames_no_variable(place: Place) -> None:
    with pytest.raises(ConfigError, match="base_url of this session is no address") as caught:
        place.load(base_url="localhost:18000")
    assert "http://localhost:11434/v1" in caught.value.hint


@pytest.mark.parametrize("name", ["m\x1b[2J", "local:m\u202e", "m\nx"])
def test_name_of_a_model_that_cannot_be_seen_is_refused(place: Place, name: str) -> None:
    place.own(PROFILE)
    place.environ["HYPERNB_MODEL"] = name
    with pytest.raises(ConfigError, match="holds what cannot be seen"):
        place.load().resolve()


def test_projects_own_server_has_no_model_that_cannot_be_seen(place: Place) -> None:
    place.project(f'{PROFILE}model = "m\\u001b]0;x\\u0007"\n')
    with pytest.raises(ConfigError, match="holds what cannot be seen") as caught:
        place.load()
    assert str(caught.value).isprintable()


# -- files that are wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("model = ", "is not TOML", id="toml"),
        pytest.param("a = " + "[" * 20_000, "is not TOML: nested too deeply", id="deep"),
        pytest.param('modle = "m"', "no key 'modle'. Did you mean 'model'", id="near"),
        pytest.param("model = 3", "has model = 3. It has to be text", id="number"),
        pytest.param('content = "ful"', "'ful'. Did you mean 'full'", id="word"),
        pytest.param("cache_s = -1", "has cache_s = -1", id="negative"),
        pytest.param("cache_s = nan", "has cache_s = nan", id="nan"),
        pytest.param("cache_s = true", "has cache_s = True", id="bool"),
        pytest.param("agents = 3", "agents that is no table", id="agents"),
        pytest.param("profiles = 3", "profiles that are no tables", id="profiles"),
        pytest.param("[profiles]\nx = 3", "'profiles.x' that is no table", id="profile"),
        pytest.param("[profiles.x]\n", "has no base_url", id="no-address"),
        pytest.param(PROFILE + "base_ulr = 1", "Did you mean 'base_url'", id="near-key"),
        pytest.param(PROFILE + "at_once = 0", "at_once: ", id="zero"),
        pytest.param(PROFILE + 'streams = "no"', "streams: ", id="type"),
        pytest.param(PROFILE + 'source = "x"', "no key 'source'", id="inner-key"),
        pytest.param(PROFILE + '[profiles.local.prices.m]\ninput = 1', "output: ", id="price"),
        pytest.param(
            PROFILE + "[profiles.local.prices.m]\ninput = 1e9\noutput = 1",
            "input: Input should be less than or equal to 1000000", id="absurd-price"
        ),
        pytest.param("[profiles.'a b']\n", "has a profile 'a b'", id="name"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("whose", ["own", "project"])
def test_what_is_wrong_in_a_file_is_one_line(
    place: Place, text: str, said: str, whose: str
) -> None:
    getattr(place, whose)(text)
    with pytest.raises(ConfigError) as caught:
        place.load()
    assert said in str(caught.value)
    assert "config.toml" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", ["pipe", "link", "large", "bytes", "folder"])
def test_project_file_of_another_kind_is_refused(place: Place, kind: str) -> None:
    path = place.project_file
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        place.own('model = "ollama:a"\n')
        path.symlink_to(place.own_file)
    elif kind == "large":
        path.write_text("# \n" * 400_000)
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe")
    else:
        path.mkdir()
    with pytest.raises(ConfigError, match=r"config\.toml"):
        place.load()


def test_folder_that_is_a_link_is_refused(place: Place, tmp_path: Path) -> None:
    place.project_file.parent.rename(tmp_path / "elsewhere")
    place.project_file.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="it is a link"):
        place.load()


def test_own_file_may_be_a_link(place: Place, tmp_path: Path) -> None:
    (tmp_path / "dotfile").write_text('model = "ollama:a"\n')
    place.own_file.symlink_to(tmp_path / "dotfile")
    assert place.named() == "ollama:a"


def test_tables_of_the_specialists_stay(place: Place) -> None:
    place.project('[tests]\ncommand = "pytest"\n[rules]\noff = ["no-ci"]\n')
    assert place.load().resolve() is None


def test_unknown_setting_of_a_session_is_refused(place: Place) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'model'"):
        place.load(modls="m")


def test_empty_settings_of_a_session_do_not_count(place: Place) -> None:
    place.environ["HYPERNB_MODEL"] = "ollama:a"
    found = place.load(model="", content="", agents={}).resolve()
    assert found is not None
    assert found[0] == "ollama:a"


def test_settings_without_a_project_are_the_users(place: Place) -> None:
    place.own('model = "ollama:a"\n')
    found = ModelSettings.load(None, place.environ).resolve()
    assert found is not None
    assert found[0] == "ollama:a"
