
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("sync", "0021_name_dead_letters")]

    operations = [
        migrations.CreateModel(
            name='OutsideCalls',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=[('meta', 'Meta'), ('google', 'Google Ads')], max_length=10)),
                ('external_id', models.CharField(blank=True, max_length=40)),
                ('calls', models.PositiveIntegerField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sync.account')),
            ],
        ),
    ]
