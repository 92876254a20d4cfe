"""What a folder of unfinished work was started with, so that it goes on with nothing else."""

import json
import os


def check_plan(path, plan, what):
    """Write down the plan of some work or, where there is one, compare with it.

    Parameters
    ----------
    path : pathlib.Path
        JSON file in the folder of the work, which is made if needed.
    plan : dict
        Anything that JSON can hold.
    what : str
        The work, as the message calls it.

    Raises
    ------
    ValueError
        If the folder holds work with another plan, or the file is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # several processes may start at once: each writes a file of its own, the same
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        # what an older version did not write down cannot be compared
        changed = sorted(key for key in plan if key in found and found[key] != plan[key])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}; remove its folder") from error
    if changed:
        raise ValueError(
            f"{str(path.parent)!r} holds a {what} with other {', '.join(changed)}: choose another "
            f"folder, or remove it"
        )
