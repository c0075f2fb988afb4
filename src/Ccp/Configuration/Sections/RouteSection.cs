namespace Ccp.Configuration.Sections;

/// <summary><c>[[route]]</c>: which model goes to which lane. The first that fits counts.</summary>
internal static class RouteSection
{
    public static IReadOnlyList<RouteConfig> Read(IReadOnlyList<ConfigTable> tables, IReadOnlyList<LaneConfig> lanes) =>
        [.. tables.Select(table => ReadRoute(table, lanes))];

    private static RouteConfig ReadRoute(ConfigTable table, IReadOnlyList<LaneConfig> lanes)
    {
        table.Require("model");
        var model = table.Text("model");
        if (model is not null && !Names.IsModel(model))
        {
            table.Refuse("model", "expected a model, or a pattern of models such as \"claude-haiku-*\"");
        }

        table.Require("lane");
        var lane = ReadLane(table, "lane", lanes);
        var fallback = ReadLane(table, "fallback", lanes);
        if (fallback is not null && fallback == lane)
        {
            table.Refuse("fallback", "a lane cannot take its own place; name another one, or leave it out");
        }

        var onlyIfCheaper = table.Flag("only_if_cheaper") ?? false;
        if (onlyIfCheaper && fallback is null)
        {
            table.Refuse("only_if_cheaper", "state the fallback that the price is compared with");
        }

        table.RefuseUnknown();
        return new RouteConfig(model ?? "", lane ?? "", fallback, onlyIfCheaper);
    }

    private static string? ReadLane(ConfigTable table, string key, IReadOnlyList<LaneConfig> lanes)
    {
        var name = table.TextOrEmpty(key);
        return name is not null && LaneSection.IsLane(table, key, name, lanes) ? name : null;
    }
}
