/**
 * What runs by the clock, in UTC; hospitals have a time of their own, which the tasks reckon with. A task
 * here only finds out where something is due and adds a job for each such hospital, so that one hospital
 * that fails never stops the others. `fill` makes up for runs that were missed while no worker ran.
 */
export const crontab = `
# Every hour, for the hospitals where 02:00 has just passed: slots up to the horizon, old sessions and
# what was read long ago away, past years to the archive, the report of the day that ended; and when
# that is done, every health check.
# A day of fill, because each hospital has exactly one such hour a day and a missed one leaves a hole.
0 * * * * plan_night ?fill=1d&priority=10

# Every minute: lapsed holds. The next minute does what a missed one left, so nothing is filled, and a run
# that still waits is replaced instead of joined.
* * * * * sweep_lapsed_holds ?jobKey=sweep_lapsed_holds&max=1

# Every minute: requests whose time has come without an answer.
* * * * * sweep_lapsed_requests ?jobKey=sweep_lapsed_requests&max=1

# Every five minutes: visits that nobody came to, in hospitals within their no-show window.
*/5 * * * * sweep_no_shows ?jobKey=sweep_no_shows&max=1

# Every minute: patients who have waited too long for the next stage of their visit.
* * * * * sweep_stage_alerts ?jobKey=sweep_stage_alerts&max=1

# Every five minutes: seats for those who wait that no message told of, and waits that are over.
*/5 * * * * sweep_waitlist ?jobKey=sweep_waitlist&max=1

# Every minute: new entries of the audit log, which are sealed apart from the bookings that wrote them.
* * * * * sweep_audit ?jobKey=sweep_audit&max=1

# Every minute: mails of the login that are to be tried again.
* * * * * sweep_outgoing_mail ?jobKey=sweep_outgoing_mail&max=1

# Every minute: runs of jobs without a sign of life count as stuck, and as failed.
* * * * * sweep_stuck_jobs ?jobKey=sweep_stuck_jobs&max=1

# Every minute: deliveries whose time has come (quiet hours that are over, another try, a lease that
# lapsed), and notifications that no message told of.
* * * * * sweep_deliveries ?jobKey=sweep_deliveries&max=1

# Every minute: webhooks whose time has come: another try, a test, a lease that lapsed.
* * * * * sweep_webhooks ?jobKey=sweep_webhooks&max=1

# Every minute: health alerts that no message told of, chat messages to be tried again, and digests whose
# four hours are over.
* * * * * sweep_health_alerts ?jobKey=sweep_health_alerts&max=1

# Every five minutes: reminders of visits whose time has come.
*/5 * * * * sweep_reminders ?jobKey=sweep_reminders&max=1

# Every hour: problems that are known are looked at again, and repaired where that is safe.
0 * * * * sweep_health ?jobKey=sweep_health&max=3&priority=10

# Every five minutes: whether everything that protects the data is switched on.
*/5 * * * * sweep_guards ?jobKey=sweep_guards&max=1

# Every minute: messages in the outbox that no relay knows what to do with are told, not lost.
* * * * * report_unknown_topics ?jobKey=report_unknown_topics&max=1
`;
