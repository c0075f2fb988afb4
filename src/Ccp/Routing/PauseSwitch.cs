using Ccp.Files;

namespace Ccp.Routing;

/// <summary>The kill switch that <c>ccp pause</c> throws: everything goes to the default lane. It is a file in the data directory, and stands through restarts until <c>ccp resume</c>.</summary>
/// <remarks>Errors: <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>; what stood then stands.</remarks>
internal sealed class PauseSwitch(string path)
{
    private const string Content = "Everything goes to the default lane until ccp resume.\n";

    private volatile bool _isOn = File.Exists(path);

    public bool IsOn => _isOn;

    public void Pause()
    {
        DurableFile.Write(path, System.Text.Encoding.UTF8.GetBytes(Content), overwrite: true);
        _isOn = true;
    }

    public void Resume()
    {
        File.Delete(path);
        _isOn = false;
    }
}
