"""Dead letters have a page of their own. A name only: no table is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sync", "0020_remember_the_access_tier")]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("sync.syncrun",),
        )
    ]
