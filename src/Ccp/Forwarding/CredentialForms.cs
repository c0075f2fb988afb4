using System.Runtime.CompilerServices;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>The header that a key goes in. For a lane that leaves it open (<c>header = "auto"</c>) the one that worked last for this key.</summary>
internal sealed class CredentialForms
{
    // A key that nobody has any more, after a reload say, is forgotten with it.
    private readonly ConditionalWeakTable<Secret, object> _worked = [];

    /// <returns>Never <see cref="LaneHeader.Auto"/>.</returns>
    public LaneHeader For(LaneConfig lane, Secret key) =>
        lane.Header != LaneHeader.Auto ? lane.Header : _worked.TryGetValue(key, out var form) ? (LaneHeader)form : LaneHeader.ApiKey;

    public static LaneHeader Other(LaneHeader form) => form == LaneHeader.ApiKey ? LaneHeader.Authorization : LaneHeader.ApiKey;

    public void Remember(Secret key, LaneHeader form)
    {
        if (!_worked.TryGetValue(key, out var known) || (LaneHeader)known != form)
        {
            _worked.AddOrUpdate(key, form);
        }
    }
}
