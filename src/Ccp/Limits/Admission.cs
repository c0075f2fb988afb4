using System.Collections.Concurrent;
using System.Net;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Refusals;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Limits;

/// <summary>Who is let in now: the token, where it comes from, and how much its user does already. No disk, and no lock that is held for long.</summary>
internal sealed class Admission(UserDirectory users, AuthConfig auth, TimeProvider time, ILogger log)
{
    private readonly FailedTokens _failed = new(auth.FailedAttemptsPerMinute, time);
    private readonly ConcurrentDictionary<long, UserActivity> _activities = new();

    /// <summary>Who is calling. Nothing of the request's body has been read yet.</summary>
    public Decision<User> Identify(string? token, IPAddress from)
    {
        if (users.Identify(token).Allows(out var user, out var refusal))
        {
            return user;
        }

        if (refusal.Code != RefusalCode.TokenUnknown || _failed.Add(from, out var isNews) is not { Ticks: > 0 } wait)
        {
            return refusal;
        }

        if (isNews)
        {
            log.AddressThrottled(from.ToString());
        }

        return LimitRefusals.FailedTokens(wait);
    }

    /// <summary>Who makes a call to a lane: as above, and in local mode the local user when no token is shown.</summary>
    public Decision<User> IdentifyCaller(string? token, IPAddress from)
    {
        if (!auth.IsLocal)
        {
            return Identify(token, from);
        }

        if (token is null)
        {
            return users.IdentifyLocal();
        }

        return Identify(token, from).Allows(out var user, out var refusal) ? user
            : refusal.Code == RefusalCode.TokenUnknown ? LimitRefusals.LocalToken()
            : refusal;
    }

    /// <summary>Who makes the call now that its body is there, and whether they still may: that can have taken minutes, and the user may have been deleted, disabled or limited meanwhile.</summary>
    public Decision<User> IdentifyAgain(string? token, Caller from)
    {
        if (!IdentifyCaller(token, from.Address).Allows(out var user, out var refusal))
        {
            return refusal;
        }

        return RefusalOf(user, from) is { } shutOut ? shutOut : user;
    }

    /// <summary>A caller's own login to a provider, unless it is a token of ccp's: that never leaves, wherever it was put.</summary>
    /// <param name="authorization">The header's whole value, with its scheme.</param>
    public Secret? LoginOrNone(Secret? authorization)
    {
        if (authorization is null)
        {
            return null;
        }

        var value = authorization.Reveal().AsSpan();
        return users.Holds(value[(value.IndexOf(' ') + 1)..].Trim()) ? null : authorization;
    }

    /// <summary>Whether the user may call at all, now and from there.</summary>
    /// <returns>Null when nothing speaks against it.</returns>
    public Refusal? RefusalOf(User user, Caller from)
    {
        if (user.Limits.Expires is { } expires && time.GetUtcNow() >= expires)
        {
            return LimitRefusals.Expired(user, expires);
        }

        if (user.Limits.AllowFrom.Count == 0)
        {
            return null;
        }

        // A proxy that is let in does not stand for everybody behind it.
        return !from.IsKnown ? LimitRefusals.UnknownAddress(user)
            : user.Limits.AllowsAddress(from.Address) ? null
            : LimitRefusals.Address(user, from.Address);
    }

    /// <summary>Lets a model call in, or says why not.</summary>
    /// <param name="slot">The call's own; filled when it is let in.</param>
    public Refusal? Enter(Slot slot, User user, Caller from)
    {
        if (RefusalOf(user, from) is { } shutOut)
        {
            return shutOut;
        }

        var activity = ActivityOf(user);
        if (activity.TryEnter(user.Limits, Monotonic(time)) is { } full)
        {
            return full;
        }

        slot.Occupy(activity, user.Limits);
        return null;
    }

    /// <summary>Lets a call in that costs nothing, such as counting tokens, or says why not. It takes no place of a model call and counts for no rate.</summary>
    /// <param name="slot">The call's own; filled when it is let in.</param>
    /// <param name="parts">See <see cref="FreeRoom"/>.</param>
    public Refusal? EnterFree(Slot slot, User user, Caller from, int parts)
    {
        if (RefusalOf(user, from) is { } shutOut)
        {
            return shutOut;
        }

        var activity = ActivityOf(user);
        if (activity.TryEnterFree(user.Limits, parts) is { } full)
        {
            return full;
        }

        slot.OccupyFree(activity, parts);
        return null;
    }

    /// <summary>The monotonic clock as a time since a moment that never changes.</summary>
    public static TimeSpan Monotonic(TimeProvider time) => time.GetElapsedTime(0);

    private UserActivity ActivityOf(User user) => _activities.GetOrAdd(user.Id, static _ => new UserActivity());
}
