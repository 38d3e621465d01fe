from django.db import migrations

FREEZE = """
CREATE FUNCTION judging_judge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - 'archived_at' - 'created_by_id' <> to_jsonb(NEW) - 'archived_at' - 'created_by_id'
       AND EXISTS (SELECT 1 FROM judging_judgerun WHERE judge_id = OLD.id) THEN
        RAISE EXCEPTION 'judge % has run and cannot change; make a new judge', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER judging_judge_frozen BEFORE UPDATE ON judging_judgeconfig
    FOR EACH ROW EXECUTE FUNCTION judging_judge_frozen();
"""
THAW = """
DROP TRIGGER judging_judge_frozen ON judging_judgeconfig;
DROP FUNCTION judging_judge_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("judging", "0001_first_tables")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
