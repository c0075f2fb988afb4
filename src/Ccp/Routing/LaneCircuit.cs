using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Routing;

/// <summary>
/// Whether a lane is left alone because it failed again and again. Failures in a row open the circuit for a pause; then one call at a time is let
/// through, and each that fails too, or has no answer by then, doubles the pause. Any answer that is not the lane's own failure closes it.
/// </summary>
/// <remarks>Nothing runs by itself: what calls report is all it knows. While the lane works, a call reads one flag and takes no lock.</remarks>
internal sealed class LaneCircuit(string lane, Uri address, TimeProvider time, ILogger log)
{
    /// <summary>More than the few that one ill-fated request fails with before its client waits for longer.</summary>
    public const int FailuresMax = 5;

    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>As long as a client sleeps by itself.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();

    // False nearly always: then nothing of the rest means anything.
    private volatile bool _isDisturbed;
    private int _failures;
    private TimeSpan _pause;
    private TimeSpan _until;
    private bool _isLong;

    // Numbers begin at 1; 0 is no probe.
    private long _probes;
    private long _probe;

    public string Lane { get; } = lane;

    public Uri Address { get; } = address;

    /// <summary>Null while the lane works. Not null after the pause too, until it answers again.</summary>
    public LaneOutage? Outage
    {
        get
        {
            if (!_isDisturbed)
            {
                return null;
            }

            lock (_lock)
            {
                return OutageAt(Now);
            }
        }
    }

    /// <summary>From the last of the failures until it answers again, also while a probe is out.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
            {
                return _pause > TimeSpan.Zero;
            }
        }
    }

    /// <summary>For people: how the lane is.</summary>
    public string Shown
    {
        get
        {
            lock (_lock)
            {
                return _pause > TimeSpan.Zero ? $"down; tried again in {Math.Max(0, Math.Ceiling((_until - Now).TotalSeconds)):0} s"
                    : _failures > 0 ? $"ok; the last {_failures} failed"
                    : "ok";
            }
        }
    }

    private TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>Lets a call through, or says why not.</summary>
    /// <param name="mayProbe">False for a call whose answer says nothing of how the lane serves others.</param>
    public LaneVisit Enter(bool mayProbe = true)
    {
        if (!_isDisturbed)
        {
            return new LaneVisit(this, Probe: 0, Outage: null, FailuresBefore: 0);
        }

        lock (_lock)
        {
            var now = Now;
            if (OutageAt(now) is not { } outage)
            {
                return new LaneVisit(this, Probe: 0, Outage: null, _failures);
            }

            if (outage.KeepsOut(mayProbe))
            {
                return new LaneVisit(this, Probe: 0, outage, _failures);
            }

            if (!mayProbe)
            {
                return new LaneVisit(this, Probe: 0, Outage: null, _failures);
            }

            // An answer may take minutes to begin. A probe that has said nothing for a pause is joined by another; but a lane that takes
            // calls and never answers is not to be given one a second.
            _pause = _probe == 0 ? _pause : Doubled(_pause);
            _until = now + _pause;
            return new LaneVisit(this, _probe = ++_probes, Outage: null, _failures);
        }
    }

    /// <summary>The lane answered, with whatever but a failure of its own.</summary>
    public void Answered()
    {
        if (!_isDisturbed)
        {
            return;
        }

        bool wasOpen;
        lock (_lock)
        {
            wasOpen = _pause > TimeSpan.Zero;
            (_failures, _pause, _probe, _isLong, _isDisturbed) = (0, TimeSpan.Zero, 0, false, false);
        }

        if (wasOpen)
        {
            log.LaneAnswersAgain(Lane);
        }
    }

    /// <param name="probe">Of the visit. While the circuit is open, only its newest probe says anything new.</param>
    public void Failed(long probe, string reason)
    {
        TimeSpan pause;
        int failures;
        lock (_lock)
        {
            failures = ++_failures;
            _isDisturbed = true;
            var isOpen = _pause > TimeSpan.Zero;
            var isNew = isOpen ? probe != 0 && probe == _probe : failures >= FailuresMax;
            if (isNew)
            {
                _pause = isOpen ? Doubled(_pause) : FirstPause;
                _until = Now + _pause;
                _probe = 0;
            }

            // A probe that was joined by others counts here too: a lane that lets every call time out has none but such.
            _isLong |= probe != 0 && _pause >= LongestPause;
            if (!isNew)
            {
                return;
            }

            pause = _pause;
        }

        log.LaneDown(Lane, failures, reason, pause.TotalSeconds);
    }

    /// <summary>A connection broke, which many calls may share: of those that were on it, one counts.</summary>
    /// <param name="failuresBefore">As many had failed in a row when the call went in.</param>
    public void Dropped(long probe, int failuresBefore, string reason)
    {
        lock (_lock)
        {
            if (_failures != failuresBefore)
            {
                return;
            }

            Failed(probe, reason);
        }
    }

    /// <summary>A probe that ended without an answer, because its client left perhaps, keeps no other from trying.</summary>
    public void Leave(long probe)
    {
        if (probe == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (probe == _probe)
            {
                (_probe, _until) = (0, Now);
            }
        }
    }

    private static TimeSpan Doubled(TimeSpan pause) => pause + pause < LongestPause ? pause + pause : LongestPause;

    private LaneOutage? OutageAt(TimeSpan now) => _pause > TimeSpan.Zero ? new LaneOutage(_until - now, _isLong) : null;
}

/// <param name="Remaining">Until the next probe is let through; below zero, it has been awaited for so long.</param>
/// <param name="IsLong">True when a probe failed after more than a minute of them: waiting is no longer what a client should do by itself. Those that have said nothing yet, and may be at work, do not make it so.</param>
internal readonly record struct LaneOutage(TimeSpan Remaining, bool IsLong)
{
    /// <param name="mayProbe">False: the lane is left to those that may, unless none has come for long.</param>
    public bool KeepsOut(bool mayProbe) => Remaining > (mayProbe ? TimeSpan.Zero : -LaneCircuit.LongestPause);
}

/// <summary>One call's way through a circuit.</summary>
/// <param name="Probe">Not 0: the call finds out whether a lane that was down works again.</param>
/// <param name="Outage">Not null: the call must not go there.</param>
/// <param name="FailuresBefore">How many calls had failed in a row when this one went in.</param>
internal readonly record struct LaneVisit(LaneCircuit Circuit, long Probe, LaneOutage? Outage, int FailuresBefore) : IDisposable
{
    public void Answered() => Circuit.Answered();

    /// <param name="reason">For the log.</param>
    public void Failed(string reason) => Circuit.Failed(Probe, reason);

    /// <inheritdoc cref="LaneCircuit.Dropped"/>
    public void Dropped(string reason) => Circuit.Dropped(Probe, FailuresBefore, reason);

    public void Dispose() => Circuit.Leave(Probe);
}
