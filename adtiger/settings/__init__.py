"""All configuration, read once from the environment; a wrong value stops the start with its name.

Each variable is explained in `.env.example`. ADTIGER_ENV decides what an unset one means: in
`production` (the default) what is unsafe to default is an error; `development` and `test` bring up
embedded servers and make their own secrets below `.adtiger/`.
"""

from adtiger.settings.base import *  # noqa: F403  (Django looks for all of them here)
from adtiger.settings.servers import *  # noqa: F403
from adtiger.settings.site import *  # noqa: F403
from adtiger.settings.syncing import *  # noqa: F403
