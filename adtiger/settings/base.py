"""Where AdTiger runs, which decides what an unset variable means."""

from pathlib import Path

from adtiger.env import env_choice, env_str

BASE_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENT = env_choice("ADTIGER_ENV", choices=("production", "development", "test"), default="production")
IS_PRODUCTION = ENVIRONMENT == "production"
HOME = Path(env_str("ADTIGER_HOME", default=str(BASE_DIR / ".adtiger"))).resolve()
UNSET = "in production (ADTIGER_ENV=development starts embedded servers instead)"
