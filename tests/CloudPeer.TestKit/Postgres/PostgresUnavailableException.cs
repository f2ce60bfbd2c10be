namespace CloudPeer.TestKit;

/// <summary>This machine has no PostgreSQL for the tests; the text says what to install.</summary>
public sealed class PostgresUnavailableException : Exception
{
    private const string Advice =
        "The tests need a PostgreSQL server of their own. Install one of: PostgreSQL 15 or newer with its server programs initdb and postgres "
        + "(Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), or start a Docker engine.";

    /// <summary>With the advice as text.</summary>
    public PostgresUnavailableException()
        : base(Advice)
    {
    }

    /// <summary>With the advice and what was found out.</summary>
    /// <param name="found">What was tried and how it went.</param>
    public PostgresUnavailableException(string found)
        : base($"{Advice} {found}")
    {
    }

    /// <summary>With the advice, what was found out, and its cause.</summary>
    /// <param name="found">What was tried and how it went.</param>
    /// <param name="innerException">The cause.</param>
    public PostgresUnavailableException(string found, Exception innerException)
        : base($"{Advice} {found}", innerException)
    {
    }
}
