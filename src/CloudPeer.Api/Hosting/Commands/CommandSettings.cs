using CloudPeer.Api.Hosting.Settings;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary>The settings of this process.</summary>
internal static class CommandSettings
{
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>, with every fault.</exception>
    public static ServerSettings Load() =>
        SettingParser.Parse(Read(), out var faults) ?? throw new TlfsException(Reason.BadArgument, string.Join("; ", faults));

    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>: the configuration file is no JSON.</exception>
    public static IReadOnlyList<SettingValue> Read() => SettingReader.Read(Sources());

    public static IConfigurationRoot Sources()
    {
        try
        {
            return SettingReader.DefaultSources();
        }
        catch (InvalidDataException e)
        {
            throw new TlfsException(Reason.BadArgument, $"appsettings.json in the current folder cannot be read: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}
