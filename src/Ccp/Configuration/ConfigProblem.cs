using Ccp.Configuration.Toml;

namespace Ccp.Configuration;

/// <summary>Something the operator has to change, or, among warnings, ought to look at.</summary>
/// <param name="File">Null for an environment variable.</param>
/// <param name="At">Null when there is no place to point at.</param>
/// <param name="Setting">As <c>limits.concurrent</c>; null when the text could not be read that far.</param>
/// <param name="Message">What is wrong and what is expected. Never holds a secret.</param>
internal sealed record ConfigProblem(string? File, TomlPosition? At, string? Setting, string Message)
{
    /// <summary>One line: <c>config.toml:14:9: limits.concurrent: expected a whole number of at least 1, found "8"</c>.</summary>
    public override string ToString()
    {
        var place = File is null || At is null ? File : $"{File}:{At.Value.Line}:{At.Value.Column}";
        return string.Join(": ", new[] { place, Setting, Message }.Where(part => part is not null));
    }
}
