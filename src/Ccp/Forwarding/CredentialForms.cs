using System.Collections.Concurrent;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>The header that each lane's key goes in. For a lane that leaves it open (<c>header = "auto"</c>) the one that worked last.</summary>
internal sealed class CredentialForms
{
    private readonly ConcurrentDictionary<string, LaneHeader> _worked = new(StringComparer.Ordinal);

    /// <returns>Never <see cref="LaneHeader.Auto"/>.</returns>
    public LaneHeader For(LaneConfig lane) => lane.Header != LaneHeader.Auto ? lane.Header : _worked.GetValueOrDefault(lane.Name, LaneHeader.ApiKey);

    public static LaneHeader Other(LaneHeader form) => form == LaneHeader.ApiKey ? LaneHeader.Authorization : LaneHeader.ApiKey;

    public void Remember(LaneConfig lane, LaneHeader form) => _worked[lane.Name] = form;
}
