"""The `qa` command: the same services as the web, from a terminal.

`--json` prints one document on stdout; all else goes to stderr.
"""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="earshot", prog_name="qa")
def main() -> None:
    """Earshot: call quality that people can defend."""
    from qa.logs import configure

    configure()


def _commands() -> None:
    from qa.cli import audit, calls, centre, forms, reports

    for module in (centre, calls, forms, reports, audit):
        for command in module.COMMANDS:
            main.add_command(command)


_commands()
