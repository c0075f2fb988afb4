using Ccp.Configuration.Sections;
using Ccp.Configuration.Toml;
using Ccp.Pricing;

namespace Ccp.Configuration;

/// <summary>Reads the configuration: the file, the defaults for what it leaves out, and the environment.</summary>
/// <remarks>
/// Errors: problems, all at once, in the order of the file. Any bytes give a configuration or problems, never an exception.
/// A text that breaks TOML's own grammar gives the problems of its grammar, and those of its settings where they can be told.
/// </remarks>
internal static class ConfigReader
{
    /// <summary>The built-in configuration: what an empty file means.</summary>
    public static ConfigResult Default(Func<string, string?> environment) => Read("built-in configuration", [], environment, SecretFile.Read) with { File = null };

    /// <param name="fileName">As the problems should name it.</param>
    /// <param name="toml">UTF-8.</param>
    /// <param name="environment">The value of a variable, or null; an empty one counts as unset.</param>
    /// <param name="files">What a <c>file:</c> reference leads to: <see cref="SecretFile.Read"/> outside tests.</param>
    public static ConfigResult Read(string fileName, ReadOnlySpan<byte> toml, Func<string, string?> environment, Func<string, SecretFile> files)
    {
        var problems = new ConfigProblems(fileName);
        var document = TomlDocument.Parse(toml);
        foreach (var problem in document.Problems)
        {
            problems.Add(problem.At, null, problem.Message);
        }

        if (document.Root is null)
        {
            return new ConfigResult(null, problems.InOrder(), [], []);
        }

        var secrets = new SecretReferences(environment, files);
        var listen = environment(ServerSection.ListenVariable)?.Trim() is { Length: > 0 } stated ? stated : null;
        var switches = new EnvironmentSwitches(environment, problems);
        var config = ReadRoot(document.Root, problems, secrets, switches, listen);
        var found = problems.InOrder();
        return new ConfigResult(
            found.Count == 0 ? config : null,
            found,
            problems.WarningsInOrder(),
            [.. listen is null ? Array.Empty<string>() : [ServerSection.ListenVariable], .. secrets.VariablesUsed, .. switches.VariablesUsed])
        {
            Stated = StatedSettings.Of(document.Root),
            File = fileName,
            IsBlank = toml.Trim(" \t\r\n"u8).IsEmpty,
        };
    }

    private static CcpConfig ReadRoot(TomlTable root, ConfigProblems problems, SecretReferences secrets, EnvironmentSwitches switches, string? listen)
    {
        var table = new ConfigTable(root, "", problems);
        var keyNames = new SortedSet<string>(StringComparer.Ordinal);
        var rows = PriceSection.Read(table.Tables("price"), problems.FileName);
        var prices = PriceBook.With(rows);
        var lanes = LaneSection.Read(table.Tables("lane"), secrets, switches, prices, problems);
        var storage = StorageSection.Read(Section("storage"));
        var auth = AuthSection.Read(Section("auth"));
        var isPausedByVariable = switches.Flag("OFFLOAD_PAUSED") ?? false;
        var config = new CcpConfig(
            ServerSection.Read(Section("server"), problems, listen, auth.IsLocal),
            auth,
            BillingSection.Read(Section("billing"), prices),
            LimitsSection.Read(Section("limits")),
            storage,
            LogsSection.Read(Section("logs")),
            LicenseSection.Read(Section("license")),
            PolicySection.Read(Section("policy")),
            lanes,
            new RoutingConfig(
                RouteSection.Read(table.Tables("route"), lanes),
                isPausedByVariable | (table.Flag("paused") ?? false),
                switches.Flag("FORCE_HAIKU_TO_ZAI"))
            {
                IsPausedByVariable = isPausedByVariable,
            },
            QuotaSection.Read(table.Tables("quota"), lanes, storage.RequestRecordsKept),
            KeySection.Read(table.Tables("key"), secrets, lanes, keyNames),
            UserSection.Read(table.Tables("user"), secrets, lanes, keyNames, auth.IsLocal),
            rows);
        table.RefuseUnknown();
        return config;

        ConfigTable Section(string name) => table.Table(name) ?? new ConfigTable(new TomlTable(TomlPosition.Start, TomlTableOrigin.Implied), name, problems);
    }
}
