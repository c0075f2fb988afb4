using System.Security.Cryptography;
using System.Text;
using Ccp.Files;
using Ccp.Issuing;
using Ccp.Licenses;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary>The ccp that a login fetches a license for: looked at before an invite is spent, and given the license in the end.</summary>
/// <param name="keepIn">Where a license is kept that it does not take: the first folder that can be written in.</param>
internal sealed class LicenseTarget(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, string? server, string? config, IReadOnlyList<string> keepIn)
{
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    /// <summary>Sees to it that a license can be activated there.</summary>
    /// <returns>The device of its host, which need not be this one.</returns>
    public async Task<string> DeviceAsync()
    {
        await using var connection = await OpenAsync();
        var (device, source) = ("", "");
        ApiCommand.Report(await connection.SendAsync(new AdminCall("GET", LicenseCommands.ApiPath)), asJson: false, license =>
        {
            (device, source) = (license.Text("device"), license.Text("source"));
            return ExitCodes.Ok;
        });
        if (LicenseSource.IsVariable(source))
        {
            throw new CommandFailedException($"No login was begun: {LicenseWords.DecidedBy(source)}.");
        }

        return LicenseDevice.IsId(device) ? device : throw new CommandFailedException("No login was begun: what answered there is no ccp. Look at the server's URL.");
    }

    /// <summary>Activates what a login brings. Its invite is spent by then, so whatever goes wrong it is not lost.</summary>
    public async Task<int> ActivateAsync(Func<Task<byte[]>> login, bool asJson)
    {
        byte[]? unused = null;
        try
        {
            unused = await login();

            // Opened anew: a ccp may have started or stopped while somebody thought about the login.
            await using var connection = await OpenAsync();
            var call = new AdminCall("POST", LicenseCommands.ApiPath) { Body = AdminCall.BodyOf(("pack", Encoding.UTF8.GetString(unused))) };
            var exit = ApiCommand.Report(await connection.SendAsync(call), asJson, LicenseCommands.Show);
            unused = null;
            return exit;
        }
        catch (LoginFailedException error) when (error.Pack is { Length: > 0 } sent)
        {
            unused = sent;
            throw;
        }
        finally
        {
            if (unused is not null)
            {
                Say(Keep(unused));
            }
        }
    }

    private Task<AdminConnection> OpenAsync() => LicenseCommands.Opening(environment, keys, Say)(server, config);

    /// <summary>It is opened twice, and says nothing twice.</summary>
    private void Say(string line)
    {
        if (_said.Add(line))
        {
            LicenseCommands.Say(line);
        }
    }

    /// <returns>What to tell the person before the reason.</returns>
    private string Keep(byte[] pack)
    {
        var name = $"license-{RandomNumberGenerator.GetHexString(8, lowercase: true)}.pack";
        foreach (var path in keepIn.Select(folder => Path.Combine(folder, name)))
        {
            try
            {
                DurableFile.Write(path, pack, overwrite: false);
                var options = (server is null ? "" : $" --server {server}") + (config is null ? "" : $" --config {config}");
                return $"The license came and was not activated. It is kept in {path}. When what follows is mended: ccp license activate {path}{options}";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The next folder may do.
            }
        }

        return $"The license came and was not activated, and it could be kept in none of {string.Join(", ", keepIn)}.";
    }
}
