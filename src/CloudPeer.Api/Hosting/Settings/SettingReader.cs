using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace CloudPeer.Api.Hosting.Settings;

/// <summary>Finds each setting's text: the environment variable first, then configuration, then the default. Empty text counts as not set.</summary>
internal static class SettingReader
{
    /// <summary>The sources of a running server: <c>appsettings.json</c> in the current folder, then the environment.</summary>
    public static IConfigurationRoot DefaultSources() => new ConfigurationBuilder()
        .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true, reloadOnChange: false)
        .AddEnvironmentVariables()
        .Build();

    public static IReadOnlyList<SettingValue> Read(IConfigurationRoot configuration) =>
        [.. SettingCatalog.All.Select(setting => Read(configuration, setting))];

    /// <summary>Variables with our prefix that no setting answers to, most likely misspelt.</summary>
    public static IReadOnlyList<string> Unknown(IConfigurationRoot configuration) =>
    [
        .. configuration.AsEnumerable().Select(pair => pair.Key)
            .Where(key => key.StartsWith(Setting.Prefix, StringComparison.Ordinal) && !SettingCatalog.All.Any(setting => string.Equals(setting.Variable, key, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal),
    ];

    private static SettingValue Read(IConfigurationRoot configuration, Setting setting)
    {
        foreach (var key in new[] { setting.Variable, setting.Key })
        {
            foreach (var provider in configuration.Providers.Reverse())
                if (provider.TryGet(key, out var value) && !string.IsNullOrWhiteSpace(value))
                    return new(setting, value.Trim(), Origin(provider, key));
        }

        return new(setting, setting.Default, "default");
    }

    private static string Origin(IConfigurationProvider provider, string key) => provider switch
    {
        EnvironmentVariablesConfigurationProvider => $"environment {key.Replace(":", "__", StringComparison.Ordinal)}",
        JsonConfigurationProvider json => $"file {json.Source.Path} {key}",
        _ => $"configuration {key}",
    };
}
