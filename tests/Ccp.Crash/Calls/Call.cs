using System.Text;
using Ccp.ScriptedUpstream;

namespace Ccp.Crash.Calls;

/// <summary>What is known of one call from outside of ccp: how far the upstream may have got, and what the client surely has.</summary>
/// <remarks>
/// Between the two lies what nobody can know after a kill. The upstream notes a step before it sends it, the client after it has it, so that both
/// are right at any moment.
/// </remarks>
internal sealed class Call(CallPlan plan, string user)
{
    private readonly StringBuilder _received = new();
    private volatile int _sent = CallPlan.NoStep;
    private volatile int _seen = CallPlan.NoStep;

    public CallPlan Plan { get; } = plan;

    public string User { get; } = user;

    /// <summary>Opened by the upstream at <see cref="CallPlan.PausesBefore"/>.</summary>
    public Gate Paused { get; } = new();

    /// <summary>Lets the upstream go on.</summary>
    public Gate MayGoOn { get; } = new();

    /// <summary>Opened when the client has everything up to <see cref="WaitsForStep"/>; the count of steps stands for the end of the answer.</summary>
    public Gate Arrived { get; } = new();

    public int WaitsForStep { get; init; } = int.MaxValue;

    /// <summary>The user has so little that the call may be refused, or its stream ended, for want of money.</summary>
    public bool MayRunDry { get; init; }

    /// <summary>The last step the upstream may have sent.</summary>
    public int Sent
    {
        get => _sent;
        set => _sent = value;
    }

    /// <summary>The last step the client has whole.</summary>
    public int Seen => _seen;

    /// <summary>True when a byte of a good answer, its head at least, reached the client.</summary>
    public bool HasHead => _seen >= 0;

    /// <summary>True when the client saw the answer end in good order.</summary>
    public bool HasEnd { get; private set; }

    /// <summary>True from just before the client closed its connection by itself.</summary>
    public bool HasLeft { get; set; }

    /// <summary>The status of an answer that was no success.</summary>
    public int? RefusedWith { get; set; }

    /// <summary>What it said.</summary>
    public string RefusedBecause { get; set; } = "";

    /// <summary>What came, before a proper end, that the upstream did not send: an event of ccp's own.</summary>
    public string Added { get; private set; } = "";

    /// <summary>True when ccp said no, or ended the stream, because the user's money was gone or spoken for.</summary>
    public bool HasRunDry => MayRunDry && (RefusedWith is 402 or 429 || Added.Contains("billing_error", StringComparison.Ordinal));

    /// <summary>True when ccp left the lane alone for a moment: chance had the upstream fail several calls in a row.</summary>
    public bool WasTurnedAway => RefusedWith == 503 && Sent < 0 && RefusedBecause.Contains("has failed several times in a row", StringComparison.Ordinal);

    /// <summary>True when the client's task is over, however it went.</summary>
    public bool IsOver { get; set; }

    public void HeadArrived()
    {
        _seen = 0;
        LookWhetherArrived();
    }

    public void Received(ReadOnlySpan<byte> bytes)
    {
        _received.Append(Encoding.UTF8.GetString(bytes));
        while (_seen + 1 < Plan.Steps.Count && _received.Length >= Plan.Steps[_seen + 1].Text.Length)
        {
            var expected = Plan.Steps[_seen + 1].Text;
            if (_received.ToString(0, expected.Length) != expected)
            {
                break;
            }

            _received.Remove(0, expected.Length);
            _seen++;
        }

        LookWhetherArrived();
    }

    public void Ended()
    {
        Added = _received.ToString();
        HasEnd = true;
        if (WaitsForStep == Plan.Steps.Count)
        {
            Arrived.Open();
        }
    }

    private void LookWhetherArrived()
    {
        if (_seen >= WaitsForStep)
        {
            Arrived.Open();
        }
    }
}
