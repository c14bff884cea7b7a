"""Words of the command line, and where they lead."""

import pytest

from minsheng.platform import cli

COMMANDS = {"audit_verify", "audit_seal", "import_messages", "load_reference", "migrate"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["audit", "verify"], ("audit_verify", [])),
        (["audit-verify"], ("audit_verify", [])),
        (["audit", "verify", "--json"], ("audit_verify", ["--json"])),
        (["import-messages", "audit.csv", "--skip-bad"], ("import_messages", ["audit.csv", "--skip-bad"])),
        (["load-reference"], ("load_reference", [])),
        (["migrate", "cases", "zero"], ("migrate", ["cases", "zero"])),
        (["audit"], None),
        (["--audit", "verify"], None),
        (["nonsense"], None),
    ],
)
def test_words_lead_to_a_command(words, expected):
    assert cli.find(words, COMMANDS) == expected


def test_alone_it_lists_every_command(capsys):
    cli.main([])
    printed = capsys.readouterr().out
    for word in ("up", "demo", "check [--deploy]", "manage …", "migrate"):
        assert f"  {word} " in printed
    assert "createsuperuser" not in printed, "Django's own are under manage"


def test_unknown_command_is_one_sentence_and_the_list():
    with pytest.raises(SystemExit, match="there is no command 'fly away'"):
        cli.main(["fly", "away"])


def test_manage_reaches_django(capsys):
    cli.main(["manage", "version"])
    assert capsys.readouterr().out.startswith("5.2")
