using System.Globalization;
using Ccp.Configuration;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>What the person at the keyboard is told about a lane that a call cannot take.</summary>
internal static class LaneRefusals
{
    /// <param name="needsToken">False in local mode.</param>
    public static Refusal NoLogin(LaneConfig lane, bool needsToken) => new(
        RefusalCode.NoOwnLogin,
        $"The {lane.Name} lane passes on your own login to the provider, and this call brought none. Log in with /login, and "
        + (needsToken ? "give your ccp token in ANTHROPIC_CUSTOM_HEADERS as \"x-ccp-token: TOKEN\" instead of ANTHROPIC_AUTH_TOKEN." : "leave ANTHROPIC_AUTH_TOKEN unset: it would come first."));

    /// <summary>A short outage is waited for by the client; of a long one it is said that it is one.</summary>
    public static Refusal Down(LaneConfig lane, LaneOutage outage)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(outage.Remaining.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return new Refusal(
            outage.IsLong ? RefusalCode.LaneDown : RefusalCode.LaneDownBriefly,
            outage.IsLong
                ? $"The {lane.Name} lane is down: for more than a minute no call to it has succeeded, and ccp tries again in {seconds} s. Ask again then; your operator sees the reason in ccp's log."
                : $"The {lane.Name} lane has failed several times in a row, so ccp leaves it alone and tries again in {seconds} s. It is worth asking again then; if it stays so, your operator sees the reason in ccp's log.")
        {
            Wait = outage.Remaining,
        };
    }
}
