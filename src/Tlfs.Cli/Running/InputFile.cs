using System.Text;
using Tlfs.Core;

namespace Tlfs.Cli.Running;

/// <summary>Reads the files that a person names.</summary>
internal static class InputFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limitBytes">It may not be larger: nothing is read that would be refused anyway.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TlfsException"><see cref="Reason.InputOutput"/>, <see cref="Reason.TooLarge"/> or, if it is not UTF-8, <see cref="Reason.Malformed"/>.</exception>
    public static async Task<string> ReadTextAsync(string path, int limitBytes, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[limitBytes + 1];
            var length = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            if (length > limitBytes) throw new TlfsException(Reason.TooLarge, $"{path} has more than {limitBytes} bytes");
            return Strict.GetString(bytes, 0, length).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new TlfsException(Reason.Malformed, $"{path} is not text in UTF-8", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TlfsException(Reason.InputOutput, $"there is no file {path}", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new TlfsException(Reason.InputOutput, Directory.Exists(path) ? $"{path} is a folder, not a file" : $"{path} cannot be read", e);
        }
    }
}
