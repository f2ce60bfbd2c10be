using System.Text.Json;
using CloudPeer.Api.Hosting.Settings;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer config show</c> and <c>cloudpeer config validate</c>.</summary>
internal static class ConfigCommand
{
    public static void Show(TextWriter output, bool json)
    {
        var values = CommandSettings.Read();
        var width = values.Max(value => value.Setting.Variable.Length);
        foreach (var value in values)
        {
            output.WriteLine(json
                ? JsonSerializer.Serialize(new { setting = value.Setting.Variable, value = Shown(value), origin = value.Origin })
                : $"{value.Setting.Variable.PadRight(width)}  {Shown(value)}  ({value.Origin})");
        }
    }

    public static void Validate(TextWriter output, bool json)
    {
        CommandSettings.Load();
        foreach (var unknown in SettingReader.Unknown(CommandSettings.Sources()))
            output.WriteLine(json ? JsonSerializer.Serialize(new { unknown }) : $"{unknown} is set, but it is no setting of this version.");
        output.WriteLine(json ? """{"valid":true}""" : "All settings are valid.");
    }

    private static string Shown(SettingValue value) =>
        (value.Setting == SettingCatalog.DatabaseUrl || value.Setting == SettingCatalog.DatabaseListenUrl) && value.Value.Length > 0 ? PostgresUrl.Mask(value.Value) : value.Value;
}
