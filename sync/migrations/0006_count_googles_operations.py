"""What Google's project did in the last 24 hours, by account and minute. New tables: nothing to lock."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0005_record_interventions'),
    ]

    operations = [
        migrations.CreateModel(
            name='GoogleProject',
            fields=[
                ('name', models.CharField(help_text='Its number, as in the client id.', max_length=80, primary_key=True, serialize=False)),
                ('weights', models.PositiveIntegerField(default=0, editable=False, help_text='Of all accounts that share it; 0: not counted yet.')),
            ],
        ),
        migrations.CreateModel(
            name='OperationCount',
            fields=[
                ('pk', models.CompositePrimaryKey('project', 'subject', 'until', blank=True, editable=False, primary_key=True, serialize=False)),
                ('project', models.CharField(max_length=80)),
                ('subject', models.CharField(help_text="The account's id; empty for the project as a whole.", max_length=36)),
                ('until', models.DateTimeField(help_text="The minute's end.")),
                ('calls', models.PositiveIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['until'], name='operationcount_until')],
            },
        ),
    ]
