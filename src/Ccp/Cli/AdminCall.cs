using System.Text.Json;
using Ccp.Admin;

namespace Ccp.Cli;

/// <summary>One request to the administration API, as a command makes it.</summary>
/// <param name="Path">Of segments that need no encoding.</param>
internal sealed record AdminCall(string Method, string Path)
{
    public Dictionary<string, string> Query { get; init; } = [];

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <exception cref="WrongUsageException">No user can have this name.</exception>
    public static string PathOf(string before, string user, string after = "") => AdminOperations.IsName(user)
        ? $"{before}/{user}{after}"
        : throw new WrongUsageException("A user name has 1 to 64 of the letters A-Z and a-z, digits, \".\", \"_\" and \"-\".");

    /// <exception cref="WrongUsageException">No request can have this id.</exception>
    public static string PathOfRequest(string id, string after) => AdminOperations.IsName(id)
        ? $"/admin/requests/{id}/{after}"
        : throw new WrongUsageException("A request's id is req_ and 32 digits, as it stands in the header x-ccp-request-id and in ccp requests.");

    /// <summary>A query of the values that are there.</summary>
    public static Dictionary<string, string> QueryOf(params ReadOnlySpan<(string Name, string? Value)> values)
    {
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            if (value is not null)
            {
                query.Add(name, value);
            }
        }

        return query;
    }

    /// <summary>A JSON object of the members that are there. "true" and "false" become what they say, limits are JSON already; amounts travel as their digits.</summary>
    public static ReadOnlyMemory<byte> BodyOf(params ReadOnlySpan<(string Name, string? Value)> members)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
            {
                if (value is null)
                {
                    continue;
                }

                if (name is "isAdmin" or "disabled" or "billing" or "adjustment" or "dryRun")
                {
                    writer.WriteBoolean(name, value == "true");
                }
                else if (name is "limits")
                {
                    writer.WritePropertyName(name);
                    writer.WriteRawValue(value);
                }
                else
                {
                    writer.WriteString(name, value);
                }
            }

            writer.WriteEndObject();
        }

        return body.ToArray();
    }
}
