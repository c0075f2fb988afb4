namespace Ccp.Configuration.Sections;

/// <summary><c>[[key]]</c>: named upstream keys.</summary>
internal static class KeySection
{
    /// <param name="names">Gets every name that was readable, even of a key with other problems: a user who refers to it made no mistake.</param>
    public static IReadOnlyList<KeyConfig> Read(IReadOnlyList<ConfigTable> tables, SecretReferences secrets, IReadOnlyList<LaneConfig> lanes, ISet<string> names)
    {
        var keys = new List<KeyConfig>();
        var linesOf = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            var name = Names.ReadOwn(table);
            if (name is not null)
            {
                names.Add(name);
                Names.EnterOnce(table, "name", name, $"a key named \"{name}\"", linesOf);
            }

            // No default: a key that went to a lane nobody named would be a key given to a stranger.
            table.Require("lane");
            var lane = table.Text("lane");
            if (lane is not null && LaneSection.IsLane(table, "lane", lane, lanes) && lanes.Any(each => each.Name == lane && each.Header == LaneHeader.Passthrough))
            {
                table.Refuse("lane", $"the lane \"{lane}\" passes on each caller's own login; a key for it would never be used");
            }

            table.Require("value");
            var value = secrets.Resolve(table, "value", out var unset);
            if (unset is not null)
            {
                table.Refuse("value", $"the variable {unset} is not set");
            }

            table.RefuseUnknown();
            if (name is not null && lane is not null && value is not null)
            {
                keys.Add(new KeyConfig(name, lane, value));
            }
        }

        return keys;
    }
}
